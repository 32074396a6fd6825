// What the page asks the server, and what the server tells of itself.

// No word of the browser's own reaches the user.
export class Gone extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

async function answered(request) {
  const response = await request.catch((error) => {
    throw error.name === "AbortError" ? error : new Gone();
  });
  if (response.ok) return response;
  let told = "";
  try {
    told = (await response.json()).error;
  } catch {
    told = "";
  }
  throw new Error(told || `The server answers ${response.status}; reload the page.`);
}

export async function post(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  return (await answered(fetch(path, { method: "POST", headers, body: JSON.stringify(body) }))).json();
}

export async function postForBlob(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  return answered(fetch(path, { method: "POST", headers, body: JSON.stringify(body) }));
}

export async function getJson(path) {
  return (await answered(fetch(path))).json();
}

export async function getBitmap(path, signal) {
  const response = await answered(fetch(path, { signal }));
  return createImageBitmap(await response.blob());
}

export function listen(take, lost) {
  const source = new EventSource("/api/events");
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = () => lost();
  return source;
}
