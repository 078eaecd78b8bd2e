#pragma once

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

// One per file of the same name.
void add_apply(CLI::App& app, Session& session);
void add_approve(CLI::App& app, Session& session);
void add_backup(CLI::App& app, Session& session);
void add_cancel(CLI::App& app, Session& session);
void add_console(CLI::App& app, Session& session);
void add_delete(CLI::App& app, Session& session);
void add_describe(CLI::App& app, Session& session);
void add_diff(CLI::App& app, Session& session);
void add_drain(CLI::App& app, Session& session);
void add_events(CLI::App& app, Session& session);
void add_explain(CLI::App& app, Session& session);
void add_explain_path(CLI::App& app, Session& session);
void add_gc(CLI::App& app, Session& session);
void add_get(CLI::App& app, Session& session);
void add_hook(CLI::App& app, Session& session);
void add_host(CLI::App& app, Session& session);
void add_init_repo(CLI::App& app, Session& session);
void add_import(CLI::App& app, Session& session);
void add_initialize(CLI::App& app, Session& session);
void add_history(CLI::App& app, Session& session);
void add_install(CLI::App& app, Session& session);
void add_lock(CLI::App& app, Session& session);
void add_logs(CLI::App& app, Session& session);
void add_players(CLI::App& app, Session& session);
void add_top(CLI::App& app, Session& session);
void add_reconcile(CLI::App& app, Session& session);
void add_reset(CLI::App& app, Session& session);
void add_restart(CLI::App& app, Session& session);
void add_restore(CLI::App& app, Session& session);
void add_resume(CLI::App& app, Session& session);
void add_rollback(CLI::App& app, Session& session);
void add_schema(CLI::App& app, Session& session);
void add_secrets(CLI::App& app, Session& session);
void add_start(CLI::App& app, Session& session);
void add_status(CLI::App& app, Session& session);
void add_stop(CLI::App& app, Session& session);
void add_suspend(CLI::App& app, Session& session);
void add_tree(CLI::App& app, Session& session);
void add_validate(CLI::App& app, Session& session);
void add_version(CLI::App& app, Session& session);
void add_wait(CLI::App& app, Session& session);

}  // namespace left4me::ctl
