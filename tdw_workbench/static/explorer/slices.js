// Asking the server: JSON, and arrays in the safetensors format (8 bytes of header length, JSON, arrays).

const TYPES = { U8: Uint8Array, I16: Int16Array, I32: Int32Array, F32: Float32Array };

/** An error with what to do about it, as the server tells it. */
export class Refused extends Error {
  constructor(what, remedy) {
    super(what);
    this.remedy = remedy;
  }
}

async function ask(url, signal) {
  let response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refused("The server does not answer.", "Check that it is still running, then reload.");
  }
  if (response.ok) return response;
  const told = await response.json().catch(() => ({}));
  throw new Refused(told.error ?? `The server answered ${response.status}.`, told.remedy ?? "");
}

export async function fetchJson(url) {
  return (await ask(url)).json();
}

/** Arrays by name, each {shape, data}; `problems` lists files that could not be read, `about` what they are. */
export async function fetchSlice(url, signal) {
  return parse(await (await ask(url, signal)).arrayBuffer());
}

export function parse(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const { problems, about } = header.__metadata__ ?? {};
  const slice = { problems: JSON.parse(problems ?? "[]"), about: JSON.parse(about ?? "{}") };
  delete header.__metadata__;
  for (const [name, { dtype, shape, data_offsets: [begin, end] }] of Object.entries(header)) {
    const Type = TYPES[dtype];
    const at = 8 + length + begin;
    slice[name] = { shape, data: new Type(buffer, at, (end - begin) / Type.BYTES_PER_ELEMENT) };
  }
  return slice;
}
