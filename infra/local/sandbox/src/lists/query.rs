//! The query parameters of a list.

use crate::{
    lists::{
        fields::{ListFields, Operator},
        filters::{self, Filter},
    },
    request::ApiRequest,
    responses::ErrorResponse,
};

/// Rows on a page without `max`.
const DEFAULT_MAX: usize = 20;

/// The parsed query parameters.
pub(crate) struct ListQuery {
    /// Rows on a page.
    pub(crate) max: usize,
    /// Fields to sort by, each with whether it is descending.
    pub(crate) sort: Vec<(String, bool)>,
    pub(crate) filters: Vec<Filter>,
    pub(crate) page_token: Option<String>,
    /// The query that page tokens are signed for: the list, its sort order and its filters.
    pub(crate) fingerprint: String,
}

impl ListQuery {
    /// Parses the parameters of `request`. `scope` tells lists with the same fields apart, such as
    /// the organization id. `Err` is a 400 with one error for each invalid parameter.
    pub(crate) fn parse(
        request: &ApiRequest,
        fields: &ListFields,
        scope: &str,
    ) -> Result<Self, ErrorResponse> {
        let max = parse_max(request.parameter("max"));
        let sort_text = request.parameter("sort").unwrap_or_default();
        let sort = parse_sort(sort_text, fields);
        let filters_text = request.parameter("filters").unwrap_or_default();
        let filters = filters::parse(filters_text, fields);

        match (max, sort, filters) {
            (Ok(max), Ok(sort), Ok(filters)) => Ok(Self {
                max,
                sort,
                filters,
                page_token: request.parameter("page").map(str::to_owned),
                fingerprint: format!("{}\n{scope}\n{sort_text}\n{filters_text}", fields.list_name),
            }),
            (max, sort, filters) => {
                let errors = [max.err(), sort.err(), filters.err()];
                Err(ErrorResponse::validation(
                    errors.into_iter().flatten().collect(),
                ))
            }
        }
    }

    /// The ids that the filter selects, if the only filter is one for ids.
    pub(crate) fn requested_ids(&self) -> Option<&[String]> {
        match self.filters.as_slice() {
            [
                Filter {
                    field,
                    operator: Operator::Equal | Operator::In,
                    values,
                },
            ] if field == "id" => Some(values),
            _ => None,
        }
    }
}

/// Parses `max`, which defaults to 20. `Err` is the message of a 400.
pub(crate) fn parse_max(text: Option<&str>) -> Result<usize, String> {
    let Some(text) = text else {
        return Ok(DEFAULT_MAX);
    };

    match text.parse::<i64>() {
        Ok(1..=100) => text.parse().map_err(|_| "max: must be a number".to_owned()),
        Ok(number) if number > 100 => Err("max: must be less than or equal to 100".to_owned()),
        Ok(_) => Err("max: must be greater than or equal to 1".to_owned()),
        Err(_) => Err("max: must be a number".to_owned()),
    }
}

/// Parses `field:direction,...`. `Err` is the message of a 400.
fn parse_sort(text: &str, fields: &ListFields) -> Result<Vec<(String, bool)>, String> {
    if text.is_empty() {
        return Ok(Vec::new());
    }

    text.split(',')
        .map(|item| {
            let (field, direction) = item.split_once(':').unwrap_or((item, "asc"));
            if !fields.sortable.contains(&field) {
                return Err(format!("sort: cannot sort by {field}"));
            }
            match direction {
                "asc" => Ok((field.to_owned(), false)),
                "desc" => Ok((field.to_owned(), true)),
                _ => Err(format!("sort: {direction} is neither asc nor desc")),
            }
        })
        .collect()
}
