// Verifies the ledger in this browser: RFC 9162 proofs by SHA-256, the checkpoint's Ed25519 signature, and that the log
// has only grown since this browser saw it last. What is said rests on what was computed here, and on nothing else.

import { ask } from "./api.js";

const button = document.getElementById("verify");
const place = document.getElementById("verified");
const bytes = (base64) => Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
const base64 = (data) => btoa(String.fromCharCode(...data));
const same = (one, other) => one.length === other.length && one.every((each, at) => each === other[at]);
const sha256 = async (...parts) => {
  const size = parts.reduce((sum, part) => sum + part.length, 0);
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
};
const ZERO = new Uint8Array([0]);
const ONE = new Uint8Array([1]);
const node = (left, right) => sha256(ONE, left, right);

class Broken extends Error {}
const must = (holds, words) => { if (!holds) throw new Broken(words); };

// RFC 9162, 2.1.3.2. Sizes fit a double: a log of 2^53 entries is not shown in a browser.
const checkInclusion = async (index, size, leaf, proof, root) => {
  must(index >= 0 && index < size, "the entry lies outside of the checkpoint");
  let at = index, last = size - 1, hash = leaf;
  for (const sibling of proof) {
    must(last > 0, "the proof is too long");
    if (at % 2 === 1 || at === last) {
      hash = await node(sibling, hash);
      while (at % 2 === 0) { at = Math.floor(at / 2); last = Math.floor(last / 2); }
    } else {
      hash = await node(hash, sibling);
    }
    at = Math.floor(at / 2); last = Math.floor(last / 2);
  }
  must(last === 0, "the proof is too short");
  must(same(hash, root), "the proof leads to another root than the checkpoint has");
};

// RFC 9162, 2.1.4.2.
const checkConsistency = async (old, size, oldRoot, root, proof) => {
  if (old === size) { must(proof.length === 0 && same(oldRoot, root), "two roots for one size"); return; }
  must(proof.length > 0, "the proof is empty");
  const power = Number.isInteger(Math.log2(old));
  const path = power ? [oldRoot, ...proof] : [...proof];
  let at = old - 1, last = size - 1;
  while (at % 2 === 1) { at = Math.floor(at / 2); last = Math.floor(last / 2); }
  let before = path[0], after = path[0];
  for (const sibling of path.slice(1)) {
    must(last > 0, "the proof is too long");
    if (at % 2 === 1 || at === last) {
      before = await node(sibling, before);
      after = await node(sibling, after);
      while (at % 2 === 0 && at > 0) { at = Math.floor(at / 2); last = Math.floor(last / 2); }
    } else {
      after = await node(after, sibling);
    }
    at = Math.floor(at / 2); last = Math.floor(last / 2);
  }
  must(last === 0, "the proof is too short");
  must(same(before, oldRoot) && same(after, root), "what was there before is not the beginning of what is there now");
};

const readNote = (note) => {
  const cut = note.lastIndexOf("\n\n");
  must(cut > 0, "the checkpoint is malformed");
  const text = note.slice(0, cut + 1);
  const [origin, size, root] = text.split("\n");
  must(/^[0-9]{1,15}$/.test(size), "the checkpoint is malformed");
  const lines = note.slice(cut + 2).split("\n").filter(Boolean).map((line) => {
    const [dash, name, data] = line.split(" ");
    must(dash === "\u2014" && data, "the checkpoint is malformed");
    return { name, data: bytes(data) };
  });
  return { text, origin, size: Number(size), root: bytes(root), lines };
};

const readKey = (vkey) => {
  const [, name, id, data] = /^(.+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey) ?? [];
  must(name, "the key of the log is malformed");
  const raw = bytes(data);
  must(raw[0] === 1 && raw.length === 33, "the key of the log is no Ed25519 key");
  return { name, id, raw: raw.slice(1) };
};

const hex = (data) => [...data].map((each) => each.toString(16).padStart(2, "0")).join("");

const checkSignature = async (note, vkey) => {
  const key = readKey(vkey);
  const line = note.lines.find((each) => each.name === key.name && hex(each.data.slice(0, 4)) === key.id);
  must(line, "the log did not sign the checkpoint");
  let known;
  try {
    known = await crypto.subtle.importKey("raw", key.raw, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    return null;
  }
  const holds = await crypto.subtle.verify({ name: "Ed25519" }, known, line.data.slice(4), new TextEncoder().encode(note.text));
  must(holds, "the signature of the checkpoint does not hold");
  return true;
};

const memory = {
  read(origin) {
    try { return JSON.parse(localStorage.getItem(`tidegate-ledger ${origin}`)); } catch { return null; }
  },
  write(origin, value) {
    try { localStorage.setItem(`tidegate-ledger ${origin}`, JSON.stringify(value)); } catch { /* it is remembered where it can be */ }
  },
};

const verify = async (say) => {
  must(crypto.subtle, "this browser computes no hashes here: open the console by https or on this machine");
  const index = button.dataset.index === undefined ? null : Number(button.dataset.index);
  const note = readNote(await ask("GET", "/ledger/checkpoint"));
  const known = memory.read(note.origin);
  const vkey = button.dataset.key;
  const signed = await checkSignature(note, vkey);
  say(signed ? "pass" : "none", signed
    ? `The checkpoint of ${note.size} entries is signed by the key of the log.`
    : "This browser cannot check Ed25519 signatures, so the signature of the checkpoint was not checked.");
  if (known && known.key !== vkey) throw new Broken("the log is signed with another key than when this browser saw it last");
  const which = index ?? note.size - 1;
  const entry = await ask("GET", `/ledger/entries/${which}`);
  const leaf = await sha256(ZERO, bytes(entry.envelope));
  const inclusion = await ask("GET", `/ledger/inclusion?index=${which}&size=${note.size}`);
  await checkInclusion(which, note.size, leaf, inclusion.hashes.map(bytes), note.root);
  say("pass", `Entry ${which} is in the log, exactly as it is shown: the way to the root has ${inclusion.hashes.length} ${inclusion.hashes.length === 1 ? "hash" : "hashes"}.`);
  if (!known) {
    say("none", "This browser had not seen the log before. From now on it remembers it, and would notice a change of what is there today.");
  } else {
    must(known.size <= note.size, `the log is shorter than when this browser saw it last: it had ${known.size} entries, and now ${note.size}`);
    const grown = await ask("GET", `/ledger/consistency?old=${known.size}&new=${note.size}`);
    await checkConsistency(known.size, note.size, bytes(known.root), note.root, grown.hashes.map(bytes));
    say("pass", `Nothing was changed or taken away since this browser saw the log last, with ${known.size} entries on ${known.at.slice(0, 10)}.`);
  }
  memory.write(note.origin, { size: note.size, root: base64(note.root), key: vkey, at: new Date().toISOString() });
  const others = note.lines.filter((each) => each.name !== readKey(vkey).name).map((each) => each.name);
  say(others.length ? "pass" : "none", others.length
    ? `Cosigned by ${others.join(", ")}. Their keys are theirs to give: \`tidegate ledger verify\` checks these signatures.`
    : "No witness cosigned this checkpoint: who holds the database and the key could show another log to somebody else.");
};

button?.addEventListener("click", async () => {
  button.disabled = true;
  const list = document.createElement("ul");
  list.className = "plain";
  place.hidden = false;
  place.replaceChildren(list);
  const say = (state, words) => {
    const item = document.createElement("li");
    const mark = document.createElement("span");
    mark.className = `state ${state}`;
    mark.textContent = { pass: "holds", none: "not known", block: "does not hold" }[state];
    item.append(mark, ` ${words}`);
    list.append(item);
  };
  try {
    await verify(say);
  } catch (error) {
    say(error instanceof Broken ? "block" : "none", error instanceof Broken
      ? `${error.message[0].toUpperCase()}${error.message.slice(1)}. Tell whoever audits this service.`
      : `It could not be verified: ${error.message}`);
  } finally {
    button.disabled = false;
    place.focus();
  }
});
