// Speaks to the API of this very service, in the name of whoever is signed in.

const csrf = document.querySelector('meta[name="csrf"]')?.content ?? "";

export class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

export const ask = async (method, path, body, options = {}) => {
  const headers = { accept: "application/json" };
  if (method !== "GET") headers["x-tidegate-csrf"] = csrf;
  if (body !== undefined) headers["content-type"] = "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(`/api/v1${path}`, { method, headers, body: text, ...options });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw new Refused(answer.status, [problem.title, problem.detail, problem.mend].filter(Boolean).join(": ") || `HTTP ${answer.status}`);
  }
  if (answer.status === 204) return null;
  return (answer.headers.get("content-type") ?? "").includes("json") ? answer.json() : answer.text();
};
