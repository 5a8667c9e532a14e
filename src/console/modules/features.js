// The pages of an environment's features.
import { startFlags } from "./flags.js";
import { startOverrides } from "./overrides.js";
import { startStateForms } from "./state_forms.js";

startFlags();
startStateForms();
startOverrides();
