// What the page asks the server, and what the server tells of itself.

async function answered(response) {
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
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  return (await answered(response)).json();
}

export async function postForBlob(path, body = {}) {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  return answered(response);
}

export async function getJson(path) {
  return (await answered(await fetch(path))).json();
}

export async function getBitmap(path, signal) {
  const response = await answered(await fetch(path, { signal }));
  return createImageBitmap(await response.blob());
}

export function listen(take, lost) {
  const source = new EventSource("/api/events");
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.onerror = () => lost();
  return source;
}
