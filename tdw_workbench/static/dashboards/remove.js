// Delete the dashboard that is shown: asked first, and refused when somebody has saved it meanwhile.

import { remove } from "./data.js";

/** Makes the button and its dialog work, for `name`; `version()` is the last one that this page knows. */
export function makeRemovable({ name, version, say, gone }) {
  const dialog = document.getElementById("confirm");
  document.getElementById("delete").addEventListener("click", () => dialog.showModal());
  document.getElementById("keep").addEventListener("click", () => dialog.close());
  document.getElementById("remove").addEventListener("click", async () => {
    dialog.close();
    try {
      await remove(`dashboards/${encodeURIComponent(name)}?version=${version()}`);
      gone();
      location.assign(dialog.dataset.home);
    } catch (error) {
      say([error.message, error.remedy].filter(Boolean).join(": "), true);
    }
  });
}
