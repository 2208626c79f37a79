//! The claims of a token: what each must say, and who it makes the caller.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::Issuer;
use super::token::decode;
use crate::authenticate::caller::{Identity, Scopes};
use crate::authenticate::failure::Failure;
use crate::json::{Document, Json, Kind};

/// The claims of a token, checked to be a JSON object in which no name stands twice.
pub(super) struct Claims(Document);

impl Claims {
    pub(super) fn parse(payload: &str) -> Result<Claims, Failure> {
        let malformed = Failure::Invalid("the token's claims are malformed");
        let document = Document::parse(Bytes::from(decode(payload)?)).map_err(|_| malformed.clone())?;
        match document.root().kind() {
            Kind::Object => Ok(Claims(document)),
            _ => Err(malformed),
        }
    }

    /// Who says that it has issued the token.
    pub(super) fn issuer(&self) -> Option<Cow<'_, str>> {
        self.0.root().member("iss")?.as_text()
    }

    /// Checks for whom and when the token is. Returns until when it holds.
    pub(super) fn check(&self, issuer: &Issuer, now: SystemTime) -> Result<SystemTime, Failure> {
        self.audience(&issuer.audience)?;
        let now = seconds(now);
        let leeway = issuer.leeway.as_secs_f64();
        let expiry = self.time("exp")?.ok_or(Failure::Invalid("the token has no expiry"))?;
        if now >= expiry + leeway {
            return Err(Failure::Invalid("the token has expired"));
        }
        if self.time("nbf")?.is_some_and(|from| now + leeway < from) {
            return Err(Failure::Invalid("the token is not valid yet"));
        }
        Ok(time(expiry + leeway))
    }

    /// At least one audience must be ours.
    fn audience(&self, ours: &[String]) -> Result<(), Failure> {
        let is_ours =
            |one: Json<'_>| one.as_text().is_some_and(|text| ours.iter().any(|known| *known == text));
        let named = self.0.root().member("aud").ok_or(Failure::Invalid("the token has no audience"))?;
        let found = match named.kind() {
            Kind::Array => named.items().any(is_ours),
            _ => is_ours(named),
        };
        found.then_some(()).ok_or(Failure::Invalid("the token is for another audience"))
    }

    /// Seconds since 1970, with fractions, as RFC 7519 allows them; `None`: there is no such claim.
    fn time(&self, name: &str) -> Result<Option<f64>, Failure> {
        let Some(value) = self.0.root().member(name) else { return Ok(None) };
        let number = match value.kind() {
            Kind::Number => value.raw().parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        number.map(Some).ok_or(Failure::Invalid("a time in the token is not a number"))
    }

    /// Who the token is of.
    pub(super) fn identity(self, verifier: &Arc<str>, issuer: &Issuer) -> Result<Identity, Failure> {
        let subject =
            self.0.root().member("sub").and_then(Json::as_text).filter(|subject| !subject.is_empty());
        let subject = subject.ok_or(Failure::Invalid("the token has no subject"))?.into_owned();
        let scopes = self.scopes(&issuer.scopes);
        Ok(Identity::new(verifier, &issuer.issuer, subject, scopes, Some(self.0)))
    }

    /// `"a b"` or `["a", "b"]`; anything else grants nothing.
    fn scopes(&self, name: &str) -> Scopes {
        let root = self.0.root();
        let value = match name.strip_prefix('/') {
            None => root.member(name),
            Some(pointer) => {
                let steps = pointer.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
                steps.into_iter().try_fold(root, |at, step| at.member(&step))
            }
        };
        let Some(value) = value else { return Scopes::none() };
        match value.kind() {
            Kind::String => {
                let text = value.as_text().unwrap_or_default();
                Scopes::new(text.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect())
            }
            Kind::Array => {
                Scopes::new(value.items().filter_map(|one| one.as_text().map(Cow::into_owned)).collect())
            }
            _ => Scopes::none(),
        }
    }
}

/// Since 1970.
fn seconds(time: SystemTime) -> f64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The time of day; one that no clock can show is a year of ours from now.
fn time(seconds: f64) -> SystemTime {
    let far = || SystemTime::now() + Duration::from_secs(365 * 86_400);
    let since = Duration::try_from_secs_f64(seconds).ok();
    since.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)).unwrap_or_else(far)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::DecodingKey;
    use proptest::prelude::*;

    use super::super::IssuerKeys;
    use super::*;
    use crate::config::Algorithm;

    const NOW: u64 = 1_700_000_000;

    fn issuer(scopes: &str) -> Issuer {
        Issuer {
            issuer: "https://id".into(),
            audience: vec!["api".into(), "other".into()],
            algorithms: vec![Algorithm::HS256],
            keys: IssuerKeys::Secret(DecodingKey::from_secret(b"")),
            leeway: Duration::from_secs(30),
            scopes: scopes.into(),
        }
    }

    fn claims(text: &str) -> Result<Claims, Failure> {
        Claims::parse(&URL_SAFE_NO_PAD.encode(text))
    }

    fn check(text: &str) -> Result<SystemTime, Failure> {
        claims(text)?.check(&issuer("scope"), SystemTime::UNIX_EPOCH + Duration::from_secs(NOW))
    }

    #[test]
    fn times_are_numbers_and_clocks_may_differ_a_little() {
        let until = |seconds| Ok(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let invalid = |reason| Err(Failure::Invalid(reason));
        let number = "a time in the token is not a number";
        for (times, expected) in [
            (r#""exp":1700000001"#, until(NOW + 31)),
            (r#""exp":1699999971"#, until(NOW + 1)),
            (r#""exp":1699999970"#, invalid("the token has expired")),
            (r#""exp":1699999970.5"#, Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(NOW * 1_000 + 500))),
            (r#""exp":-1"#, invalid("the token has expired")),
            (r#""exp":1700000001,"nbf":1700000030"#, until(NOW + 31)),
            (r#""exp":1700000001,"nbf":1700000031"#, invalid("the token is not valid yet")),
            (r#""nbf":1"#, invalid("the token has no expiry")),
            (r#""exp":"1700000001""#, invalid(number)),
            (r#""exp":null"#, invalid(number)),
            (r#""exp":true"#, invalid(number)),
            (r#""exp":1700000001,"nbf":"1""#, invalid(number)),
        ] {
            assert_eq!(check(&format!(r#"{{"aud":"api",{times}}}"#)), expected, "{times}");
        }
        for huge in ["99999999999999999999999", "1e300", "9e18"] {
            assert!(check(&format!(r#"{{"aud":"api","exp":{huge}}}"#)).is_ok(), "{huge}");
        }
    }

    #[test]
    fn one_audience_must_be_ours() {
        for (audience, fits) in [
            ("\"api\"", true),
            ("[\"x\",\"other\"]", true),
            ("[\"x\",7,\"api\"]", true),
            ("\"apis\"", false),
            ("\"x api\"", false),
            ("[\"x\"]", false),
            ("[]", false),
            ("[[\"api\"]]", false),
            ("{\"api\":1}", false),
            ("null", false),
        ] {
            assert_eq!(
                check(&format!(r#"{{"aud":{audience},"exp":1700000001}}"#)).is_ok(),
                fits,
                "{audience}"
            );
        }
        assert_eq!(check(r#"{"exp":1700000001}"#), Err(Failure::Invalid("the token has no audience")));
    }

    #[test]
    fn scopes_are_a_text_or_a_list_wherever_they_stand() {
        let granted = |name: &str, text: &str| {
            let identity = claims(text).unwrap().identity(&"v".into(), &issuer(name)).unwrap();
            ["a", "b c", "b"].map(|scope| identity.scopes.grants(scope))
        };
        assert_eq!(granted("scope", r#"{"sub":"x","scope":" a  b"}"#), [true, false, true]);
        assert_eq!(granted("scp", r#"{"sub":"x","scp":["a","b c",1]}"#), [true, true, false]);
        assert_eq!(granted("scope", r#"{"sub":"x","scope":{"a":1}}"#), [false; 3]);
        assert_eq!(granted("scope", r#"{"sub":"x"}"#), [false; 3]);
        assert_eq!(granted("/realm/roles", r#"{"sub":"x","realm":{"roles":["a"]}}"#), [true, false, false]);
        assert_eq!(granted("https://x/y", r#"{"sub":"x","https://x/y":"a"}"#), [true, false, false]);
    }

    #[test]
    fn nobody_is_a_caller_without_a_name() {
        for text in ["{}", r#"{"sub":""}"#, r#"{"sub":7}"#, r#"{"sub":["a"]}"#] {
            assert!(claims(text).unwrap().identity(&"v".into(), &issuer("scope")).is_err(), "{text}");
        }
        for text in ["", "[]", "1", "{", r#"{"sub":"a","sub":"b"}"#, r#"{"exp":1e999}"#] {
            assert!(claims(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_claims_are_judged_without_a_panic(text in ".{0,200}", number in any::<f64>(), name in "/?.{0,20}") {
            let _ = claims(&text).map(|claims| claims.identity(&"v".into(), &issuer(&name)));
            let _ = check(&format!(r#"{{"aud":"api","exp":{number:e},"nbf":{number:?}}}"#));
        }
    }
}
