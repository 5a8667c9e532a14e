//! What clients are asked for, and what the environment of the scene says to it.

use serde_json::{Value, json};

/// Somebody who asks for a feature.
#[derive(Clone, Debug)]
pub struct Case {
    /// Why this is asked; told when it goes wrong.
    #[expect(dead_code, reason = "it is printed with the rest")]
    pub about: &'static str,
    /// The feature.
    pub flag: &'static str,
    /// Of what kind its value is, as OpenFeature calls it.
    pub kind: &'static str,
    /// Who asks; nobody in particular if there is none.
    pub identity: Option<&'static str>,
    /// What that one is like.
    pub traits: Value,
    /// Whether the feature is on.
    pub enabled: bool,
    /// Its value for Flagsmith's clients, which have texts, integers and booleans.
    pub value: Value,
    /// Its value for OpenFeature's clients; null if their own default counts.
    pub typed: Value,
    /// Its variant for OpenFeature's clients.
    pub variant: &'static str,
    /// Why it has that value, for OpenFeature's clients.
    pub reason: &'static str,
}

impl Case {
    fn new(about: &'static str, flag: &'static str, kind: &'static str, value: Value) -> Self {
        let typed = value.clone();
        let (identity, traits, enabled, variant, reason) = (None, json!({}), true, "enabled", "STATIC");
        Self { about, flag, kind, identity, traits, enabled, value, typed, variant, reason }
    }

    fn of(self, identity: &'static str, traits: Value) -> Self {
        Self { identity: Some(identity), traits, ..self }
    }

    fn typed(self, typed: Value) -> Self {
        Self { typed, ..self }
    }

    fn off(self) -> Self {
        Self { enabled: false, variant: "disabled", reason: "DISABLED", ..self }
    }

    fn targeted(self) -> Self {
        Self { reason: "TARGETING_MATCH", ..self }
    }

    /// What is asked of the client of a driver.
    pub fn request(&self, client: &str) -> Value {
        json!({
            "do": "evaluate", "client": client, "flag": self.flag, "identity": self.identity, "traits": self.traits,
            "kind": self.kind, "default": default_of(self.kind),
        })
    }
}

/// What an OpenFeature client is to answer if it has nothing better: nothing that is a value of the scene.
pub fn default_of(kind: &str) -> Value {
    match kind {
        "boolean" => json!(false),
        "string" => json!("the default"),
        "integer" => json!(-1),
        "float" => json!(-1.25),
        "object" => json!({ "is": "the default" }),
        other => panic!("no kind: {other}"),
    }
}

/// All of them, but for variants.
pub fn cases() -> Vec<Case> {
    let object = r#"{"colour":"blue","sizes":[1,2.5]}"#;
    let targeted = |about, value: &str| Case::new(about, "banner", "string", json!(value)).targeted();
    vec![
        Case::new("a switch that is on", "switch_on", "boolean", Value::Null).typed(json!(true)),
        Case::new("a switch that is off", "switch_off", "boolean", Value::Null).typed(json!(false)).off(),
        Case::new("a boolean", "boolean", "boolean", json!(true)),
        Case::new("a text beyond ASCII", "text", "string", json!("hällo, wörld")),
        Case::new("an integer", "integer", "integer", json!(42)),
        Case::new("a float, which is a text for Flagsmith", "float", "float", json!("1.5")).typed(json!(1.5)),
        Case::new("an object, which is a text for Flagsmith", "object", "object", json!(object))
            .typed(json!({ "colour": "blue", "sizes": [1, 2.5] })),
        Case::new("a text that is off", "text_off", "string", json!("not to be seen")).typed(Value::Null).off(),
        Case::new("a feature with overrides, asked for by nobody", "banner", "string", json!("all"))
            .typed(Value::Null)
            .off(),
        Case::new("somebody in no segment", "banner", "string", json!("all"))
            .typed(Value::Null)
            .off()
            .of("anna", json!({ "plan": "silver", "age": 17, "height": 1.9, "staff": false })),
        targeted("a text trait", "the gold").of("anna", json!({ "plan": "gold" })),
        targeted("an integer trait", "the grown up").of("anna", json!({ "age": 18 })),
        targeted("a boolean trait", "the staff").of("anna", json!({ "staff": true })),
        targeted("a float trait", "the tall").of("anna", json!({ "height": 1.91 })),
        targeted("the segment with the highest priority", "the gold")
            .of("anna", json!({ "plan": "gold", "age": 40, "staff": true })),
        targeted("an identity override", "the vip").of("vip", json!({})),
        targeted("an identity override before a segment's", "the vip").of("vip", json!({ "plan": "gold" })),
        Case::new("an identity override of another type", "integer", "string", json!("only for the vip"))
            .targeted()
            .of("vip", json!({})),
    ]
}

/// The variants of the feature `variants`, by their keys.
pub const VARIANTS: [(&str, &str); 3] = [("control", "neither"), ("red", "the red one"), ("green", "the green one")];
