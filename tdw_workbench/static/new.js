// The form for a new variant: every change is checked by the family, and Dagster is asked to add the variant.

import { ask, done, tell } from "./graphql.js";

const ADD = `mutation ($repository: RepositorySelector!, $partitions: String!, $key: String!) {
  addDynamicPartition(repositorySelector: $repository, partitionsDefName: $partitions, partitionKey: $key) {
    __typename ... on PythonError { message } ... on UnauthorizedError { message } } }`;

const form = document.getElementById("new");
const outcome = document.getElementById("outcome");
const add = document.getElementById("add");
const { configure, study, graphql, partitions, repository, page } = form.dataset;
let found = null;
let turn = 0;

function say(words, kind = "") {
  outcome.textContent = words;
  outcome.className = `note ${kind}`;
}

async function check() {
  const mine = ++turn;
  const values = new URLSearchParams([["study", study], ...new FormData(form)]);
  add.disabled = true;
  const missing = [...form.elements].filter((each) => each.required && !each.value.trim());
  if (missing.length) return say(`Give ${missing.map((each) => each.name).join(", ")}.`);
  try {
    const told = await tell(`${configure}?${values}`);
    if (mine !== turn) return;
    found = told;
    if (told.there) return say(`${told.key} is part of the study already: see its page.`, "warning");
    const sizes = told.like ? `its analyses are counted as large as those of ${told.like}` : "its analyses are not counted";
    say(`${told.key}: about ${told.time} of one core and ${told.disk} on disk (${sizes}).`);
    add.disabled = false;
  } catch (error) {
    if (mine === turn) say(error.message, "error");
  }
}

let soon = 0;
form.addEventListener("input", () => {
  add.disabled = true;
  clearTimeout(soon);
  soon = setTimeout(check, 250);
});
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (add.disabled || !found) return;
  add.disabled = true;
  try {
    const variables = { repository: JSON.parse(repository), partitions, key: found.key };
    done((await ask(graphql, ADD, variables)).addDynamicPartition, "AddDynamicPartitionSuccess");
    location.assign(page + encodeURIComponent(found.key));
  } catch (error) {
    say(error.message, "error");
    add.disabled = false;
  }
});
check();
