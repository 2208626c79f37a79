// Starts Swagger UI on the document that lies beside this file. Everything it needs comes from the same place.
"use strict";

const own = document.currentScript;

// Schemas are shown by themselves in what an operation takes and answers; all of them at the end would be a second page.
// On the admin listener the document is for whoever may use its API: the console, in this tab, has kept the token.
const token = own.dataset.calls === "yes" ? null : sessionStorage.getItem("natsgate-admin-token");

SwaggerUIBundle({
  url: new URL("openapi.json", own.src).href,
  requestInterceptor: (request) => {
    if (token !== null && request.url === new URL("openapi.json", own.src).href) {
      request.headers.Authorization = `Bearer ${token}`;
    }
    return request;
  },
  dom_id: "#docs",
  // Links inside of the buttons that open an operation would be in the way of keyboards and screen readers.
  deepLinking: false,
  defaultModelsExpandDepth: -1,
  docExpansion: "list",
  displayRequestDuration: true,
  validatorUrl: null,
  // The listener for operators is not the one that the operations are called on.
  supportedSubmitMethods: own.dataset.calls === "yes" ? ["get", "put", "post", "delete", "options", "head", "patch"] : [],
  onComplete: () => document.getElementById("docs").setAttribute("aria-busy", "false"),
});

// Swagger UI gives its lists of examples no name, which a screen reader would read.
new MutationObserver(() => {
  for (const list of document.querySelectorAll("#docs select:not([aria-label])")) {
    list.setAttribute("aria-label", list.className.includes("example") ? "Example" : "Choice");
  }
}).observe(document.getElementById("docs"), { childList: true, subtree: true });
