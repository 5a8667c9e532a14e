// Where every page begins: starts what all pages share. A module that a page has for itself is a script of that page.
//
// Conventions. A module exports functions and does nothing by itself but this one. Behaviour hangs on `data-` attributes and
// is delegated from the document, so that elements that come later, with a region, have it too. Texts are in `texts.js`,
// which the server writes; requests to the API go through `api.js`.
import { startCopying } from "./copy.js";
import { startDialogs } from "./dialogs.js";
import { startFilters } from "./filters.js";
import { startForms } from "./forms.js";
import { startLive } from "./live.js";
import { startTheme } from "./theme.js";
import { showTimes } from "./times.js";

showTimes(document);
startTheme();
startDialogs();
startForms();
startFilters();
startCopying();
startLive();
