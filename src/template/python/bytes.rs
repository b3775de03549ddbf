//! Methods of bytes.

use minijinja::{Error, ErrorKind, Value};

use super::arguments::bind;
use super::failed;

/// Calls a method of bytes.
pub(super) fn method(value: &Value, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let bytes = value.as_bytes().unwrap_or_default();
    match name {
        "decode" => {
            let [_encoding, _errors] = bind(name, arguments, ["encoding", "errors"])?;
            let text = std::str::from_utf8(bytes).map_err(|_| failed("the bytes are not UTF-8"))?;
            Ok(Value::from(text))
        }
        "hex" => {
            let [] = bind(name, arguments, [])?;
            Ok(bytes
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect::<String>()
                .into())
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}
