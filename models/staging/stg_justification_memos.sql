-- One row per sentence justification memo.
{{ latest_rows('justification_memo') }}
