// Start, stop and go on, by Dagster's own API. A button says what it does in its data: a `plan` is what Dagster
// is asked to run, a `stop` the variant whose runs it is asked to end.

import { ask, done, tell } from "./graphql.js";

const LAUNCH = `mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
  ... on RunConfigValidationInvalid { errors { message } } ... on UnauthorizedError { message }
  ... on InvalidSubsetError { message } ... on PipelineNotFoundError { message } } }`;
const RUNS = `query ($filter: RunsFilter!) { runsOrError(filter: $filter) { __typename
  ... on Runs { results { runId } } ... on PythonError { message } } }`;
const STOP = `mutation ($ids: [String!]!) { terminateRuns(runIds: $ids, terminatePolicy: SAFE_TERMINATE) { __typename
  ... on TerminateRunsResult { terminateRunResults { __typename ... on TerminateRunFailure { message } } }
  ... on PythonError { message } } }`;
const UNFINISHED = ["QUEUED", "NOT_STARTED", "STARTING", "STARTED"];

export async function launchRun(graphql, params) {
  done((await ask(graphql, LAUNCH, { params })).launchRun, "LaunchRunSuccess");
}

async function launch(graphql, plan) {
  await launchRun(graphql, await tell(plan));
  return "asked for: it begins in some seconds";
}

async function stop(graphql, variant) {
  const filter = { tags: [{ key: "tdw/variant", value: variant }], statuses: UNFINISHED };
  const { results } = done((await ask(graphql, RUNS, { filter })).runsOrError, "Runs");
  if (!results.length) return "no run of Dagster works on it: stop it where it was started";
  const ids = results.map((run) => run.runId);
  const { terminateRunResults } = done((await ask(graphql, STOP, { ids })).terminateRuns, "TerminateRunsResult");
  const refused = terminateRunResults.filter((each) => each.__typename === "TerminateRunFailure");
  if (refused.length) throw new Error(refused.map((each) => each.message).join("\n"));
  return "stopping: what is finished is kept";
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("button[data-plan], button[data-stop]");
  const graphql = document.querySelector("main[data-graphql]")?.dataset.graphql;
  if (!button || graphql === undefined) return;
  const said = button.parentElement.querySelector("[role=status]");
  button.disabled = true;
  try {
    const { plan, stop: variant } = button.dataset;
    said.textContent = await (plan ? launch(graphql, plan) : stop(graphql, variant));
    said.classList.remove("bad");
  } catch (error) {
    said.textContent = error.message;
    said.classList.add("bad");
    button.disabled = false;
  }
});
