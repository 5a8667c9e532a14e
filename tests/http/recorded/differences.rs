//! What differs from Flagsmith's answers on purpose, each with its reason. One that no longer occurs is to be struck out.

use super::Difference;

/// Something that differs on purpose.
#[derive(Debug)]
pub(super) struct Deliberate {
    /// In which exchanges.
    steps: &'static [u32],
    /// Where in the answer it ends.
    at: &'static str,
    /// What was recorded; anything if empty.
    recorded: &'static str,
    /// What is here, or how it begins.
    here: &'static str,
    #[allow(dead_code, reason = "for those who read it")]
    because: &'static str,
}

impl Deliberate {
    pub(super) fn is(&self, found: &Difference) -> bool {
        self.steps.contains(&found.step)
            && found.at.ends_with(self.at)
            && (self.recorded.is_empty() || found.recorded == self.recorded)
            && found.here.starts_with(self.here)
    }
}

const NO_FREE_PLAN: &str = "Flagsmith's free plan shows no lines of the audit log; here all are shown";
const NO_USERS: &str = "API keys act, and they do not log in";

pub(super) const DIFFERENCES: &[Deliberate] = &[
    Deliberate {
        steps: &[1],
        at: "/role",
        recorded: "null",
        here: "text",
        because: "who creates an organisation administers it at once, as the next answer of Flagsmith's says too",
    },
    Deliberate {
        steps: &[4],
        at: "status",
        recorded: "403",
        here: "400: {\"non_field_errors\":[\"A project with this name already exists.\"]}",
        because: "Flagsmith's free plan has one project; this is its answer on others",
    },
    Deliberate {
        steps: &[57],
        at: "status",
        recorded: "201",
        here: "400: {\"non_field_errors\":[\"Feature state already exists",
        because: "a second override for the same segment is a defect: which of the two counts?",
    },
    Deliberate {
        steps: &[60],
        at: "/results",
        recorded: "list of 3",
        here: "list of 2",
        because: "there is no second override for the same segment",
    },
    Deliberate {
        steps: &[75],
        at: "/traits/id",
        recorded: "int",
        here: "null",
        because: "traits are not stored: each is transient, as Flagsmith says of those that it does not store",
    },
    Deliberate {
        steps: &[86],
        at: "/project/segments/feature_states/feature_state_value",
        recorded: "",
        here: "",
        because: "a segment's states are listed feature by feature, not in the order in which they were set",
    },
    Deliberate {
        steps: &[90],
        at: "status",
        recorded: "200",
        here: "400: {\"non_field_errors\":[\"An environment with this name already exists.\"]}",
        because: "a clone's name is as unique as that of any environment",
    },
    Deliberate {
        steps: &[100],
        at: "",
        recorded: "",
        here: "",
        because: "states are listed feature by feature, the default before its overrides, not in order of ids",
    },
    Deliberate {
        steps: &[106, 107, 108, 109, 110, 112, 113, 131, 210, 211],
        at: "/results",
        recorded: "list of 0",
        here: "list of ",
        because: NO_FREE_PLAN,
    },
    Deliberate { steps: &[107, 108, 131], at: "/next", recorded: "null", here: "text", because: NO_FREE_PLAN },
    Deliberate { steps: &[111], at: "status", recorded: "404", here: "200: ", because: NO_FREE_PLAN },
    Deliberate {
        steps: &[128],
        at: "/created_by",
        recorded: "int",
        here: "null",
        because: "the integer id of a user, and there are none",
    },
    Deliberate {
        steps: &[200, 201],
        at: "/author",
        recorded: "null",
        here: "object",
        because: "lines name the API key that acted; Flagsmith's do not",
    },
    Deliberate {
        steps: &[202, 203, 204, 205, 206, 207, 208, 209],
        at: "/author/last_login",
        recorded: "text",
        here: "null",
        because: NO_USERS,
    },
    Deliberate {
        steps: &[205],
        at: "/change_details/option",
        recorded: "missing",
        here: "int",
        because: "whose share changed is said",
    },
    Deliberate {
        steps: &[207],
        at: "/change_details",
        recorded: "list of 0",
        here: "list of ",
        because: "which priorities changed is said",
    },
];

/// What differs by chance: identities are hashed with the environment's key, which is another one each time.
pub(super) const BY_CHANCE: &[Deliberate] = &[
    Deliberate {
        steps: &[71, 75, 76, 77],
        at: "/flags/variant",
        recorded: "null",
        here: "text",
        because: "an option without a key has no name, the control value has one",
    },
    Deliberate {
        steps: &[71, 75, 76, 77],
        at: "/flags/variant",
        recorded: "text",
        here: "null",
        because: "an option without a key has no name, the control value has one",
    },
];
