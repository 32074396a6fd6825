// Warnings as a person reads them; the server tells its words once, and rules keep the names.
const words = new Map();

export function learn(told) {
  for (const [name, says] of Object.entries(told ?? {})) words.set(name, says);
}

export const inWords = (name) => words.get(name) ?? name.replaceAll("_", " ");
