// Dagster's own API, on the same origin: it does what is asked for here. Errors are thrown in its words.

export async function ask(url, query, variables) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const body = await response.json();
  if (body.error) throw new Error(`${body.error}\n${body.remedy}`);
  if (body.errors?.length) throw new Error(body.errors.map((each) => each.message).join("\n"));
  return body.data;
}

// The answer of a mutation, if it is of the type that says that it was done.
export function done(answer, type) {
  if (answer.__typename === type) return answer;
  const said = answer.message ?? answer.errors?.map((each) => each.message).join("\n");
  throw new Error(said || answer.__typename);
}

// What our own routes tell, or their error with its remedy.
export async function tell(url) {
  const response = await fetch(url);
  const body = await response.json();
  if (!response.ok) throw new Error(`${body.error}\n${body.remedy}`);
  return body;
}
