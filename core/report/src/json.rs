//! JSON for programs; `configs/schema/report.schema.json` describes it.

use crate::facts::Facts;
use crate::format::Format;
use chaffinch_data::Error;

pub(crate) const FORMAT: Format = Format {
    name: "json",
    summary: "JSON for scripts, with a version of its schema",
    file_name: "report.json",
    lists: true,
    pictures: false,
    render: |subject, request, job| {
        let facts = Facts::collect(subject, request.top, job)?;
        let mut text = serde_json::to_string_pretty(&facts)
            .map_err(|error| Error::Invalid(format!("the report cannot be written as JSON: {error}")))?;
        text.push('\n');
        Ok(text.into())
    },
};
