// Asks an authenticator: to register it under "My keys", and to sign an approval. The answer goes into the page's form.

const from64 = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (each) => each.charCodeAt(0));
const to64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const listed = (credential, response) => JSON.stringify({
  id: credential.id,
  rawId: to64(credential.rawId),
  type: credential.type,
  response: Object.fromEntries(Object.entries(response).map(([name, value]) => [name, to64(value)])),
});

const words = (error) => (error.name === "NotAllowedError" ? "It was not confirmed on the authenticator." : error.message);

const sign = document.getElementById("sign");
sign?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const state = document.getElementById("sign-state");
  state.textContent = "Confirm it on your authenticator.";
  try {
    const asked = JSON.parse(sign.dataset.question);
    const allowed = asked.allowCredentials.map((each) => ({ ...each, id: from64(each.id) }));
    const got = await navigator.credentials.get({ publicKey: { ...asked, challenge: from64(asked.challenge), allowCredentials: allowed } });
    const { authenticatorData, clientDataJSON, signature } = got.response;
    sign.elements.credential.value = listed(got, { authenticatorData, clientDataJSON, signature });
    sign.submit();
  } catch (error) {
    state.textContent = words(error);
  }
});

const register = document.getElementById("register");
register?.addEventListener("submit", async (event) => {
  event.preventDefault();
  const state = document.getElementById("register-state");
  state.textContent = "Confirm it on your authenticator.";
  try {
    const answer = await fetch("/settings/keys/webauthn/begin", { method: "POST", body: new URLSearchParams({ csrf: register.elements.csrf.value }) });
    if (!answer.ok) throw new Error("It could not be begun. Load the page again.");
    const asked = await answer.json();
    const known = (asked.excludeCredentials ?? []).map((each) => ({ ...each, id: from64(each.id) }));
    const made = await navigator.credentials.create({ publicKey: {
      ...asked, challenge: from64(asked.challenge), user: { ...asked.user, id: from64(asked.user.id) }, excludeCredentials: known,
    } });
    const { attestationObject, clientDataJSON } = made.response;
    register.elements.credential.value = listed(made, { attestationObject, clientDataJSON });
    register.submit();
  } catch (error) {
    state.textContent = words(error);
  }
});
