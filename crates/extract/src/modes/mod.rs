//! The modes, one file each.

mod agg_deltas;
mod api_errors;
mod asked_calls;
mod assistant_messages;
mod call_args;
mod call_fold;
mod call_index;
mod call_linkage;
mod config;
mod conversation_growth;
mod diffs;
mod envelope;
mod event_counts;
mod exec_runs;
mod folded;
mod function_call_errors;
mod headers;
mod instructions;
mod latest_idle;
mod latest_prompts;
mod linkage;
mod mcp_calls;
mod memo;
mod model_identity_cutoff;
mod patches;
mod paths_repo_hints;
mod plans;
mod prints;
mod queue_ops;
mod rate_limits;
mod reasoning;
mod reasoning_presence;
mod reminders_policies;
mod results;
mod rounds;
mod runs;
mod sessions;
mod sizes;
mod spread;
mod system_prompts;
mod telemetry;
mod thinking;
mod token_usage;
mod tool_calls;
mod tool_results;
mod tool_usage_stats;
mod tools_defined;
mod transcript;
mod turns_user_assistant;
mod turns_user_idle;
mod user_prompts;

use crate::Info;

/// All modes, in the order of `docs/commands/alog-extract.md`.
pub static MODES: [&Info; 39] = [
    &config::INFO,
    &call_index::INFO,
    &system_prompts::INFO,
    &user_prompts::INFO,
    &tools_defined::INFO,
    &tool_calls::INFO,
    &tool_results::INFO,
    &telemetry::INFO,
    &token_usage::INFO,
    &reminders_policies::INFO,
    &paths_repo_hints::INFO,
    &model_identity_cutoff::INFO,
    &assistant_messages::INFO,
    &reasoning_presence::INFO,
    &headers::INFO,
    &envelope::INFO,
    &conversation_growth::INFO,
    &call_linkage::INFO,
    &function_call_errors::INFO,
    &tool_usage_stats::INFO,
    &latest_prompts::INFO,
    &latest_idle::INFO,
    &turns_user_idle::INFO,
    &turns_user_assistant::INFO,
    &agg_deltas::INFO,
    &thinking::INFO,
    &exec_runs::INFO,
    &mcp_calls::INFO,
    &patches::INFO,
    &diffs::INFO,
    &plans::INFO,
    &rate_limits::INFO,
    &api_errors::INFO,
    &sessions::INFO,
    &rounds::INFO,
    &queue_ops::INFO,
    &event_counts::INFO,
    &sizes::INFO,
    &transcript::INFO,
];
