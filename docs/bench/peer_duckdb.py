"""The same questions in DuckDB, with typed columns. Usage: peer_duckdb.py prompts|events|deltas LOG"""
import sys

import duckdb

COLUMNS = "{event: 'VARCHAR', t: 'VARCHAR', line: 'VARCHAR', metadata: 'VARCHAR', sid: 'VARCHAR'}"
INNER = "substr(line, 7)"  # without "data: "
QUERIES = {
    "prompts": f"SELECT t, sid, json_extract_string({INNER}, '$.payload.message') AS text "
               "FROM log WHERE event = 'turn.user_message' ORDER BY t",
    "events": f"SELECT t, sid, event, json_extract(metadata, '$.pid') AS pid, "
              f"json_extract({INNER}, '$.payload') AS payload FROM log ORDER BY t",
    "deltas": f"""
        WITH deltas AS (
            SELECT t, sid, json_transform({INNER},
                '{{"item_id":"VARCHAR","sequence_number":"BIGINT","delta":"VARCHAR"}}') AS piece
            FROM log WHERE event IN ('response.output_text.delta', 'response.reasoning_summary_text.delta',
                'response.function_call_arguments.delta', 'response.custom_tool_call_input.delta'))
        SELECT min(t) AS t, sid, piece.item_id, count(*) AS deltas,
               string_agg(piece.delta, '' ORDER BY piece.sequence_number) AS text
        FROM deltas GROUP BY sid, piece.item_id ORDER BY 1""",
}
path = sys.argv[2].replace("'", "''")
duckdb.execute(f"CREATE VIEW log AS FROM read_json('{path}', format = 'newline_delimited', "
               f"columns = {COLUMNS}, maximum_object_size = 1000000000, ignore_errors = true)")
duckdb.execute(f"COPY ({QUERIES[sys.argv[1]]}) TO '/dev/stdout' (FORMAT json)")
