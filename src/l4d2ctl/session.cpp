#include "l4d2ctl/session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <optional>

#include "adapters/config/file.hpp"
#include "l4d2ctl/caller.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

Result<void> configure(Session& session, const std::optional<std::string>& text) {
    session.purpose = "l4d2ctl " + session.verb;
    return operations::configure(session, text);
}

}  // namespace

Command add_verb(CLI::App& app, Session& session, const std::string& name, const std::string& description,
                 const std::string& example, std::function<Result<Exit>()> run) {
    session.verbs.push_back({.name = name, .description = description});
    return {app, session.verb, session.run, session.verbs.back(), example, std::move(run)};
}

Result<void> drop_privileges_and_configure(Session& session, Access access) {
    session.caller = calling_person();
    if (session.served && session.config_path != config_file)
        return fail(Exit::Refused, "another configuration is opened with your own rights only");
    ConfigText text;
    // A path that a person gave is opened as that person; the host's own configuration is opened as user
    // left4me, which also runs the daemon. Root opens nothing, so no message can quote a file that only root
    // may read.
    if (session.config_path != config_file) {
        const auto read = with_rights_of_caller([&] { text = read_config_text(session.config_path); });
        if (!read) return read;
    }
    if (auto dropped = give_up_privileges(access, session.verb); !dropped) return dropped;
    if (session.config_path == config_file) text = read_config_text(session.config_path);
    if (!text) return fail(Exit::Invalid, text.error());
    return configure(session, *text);
}

Result<void> enter_as_root(Session& session) {
    if (::geteuid() != 0) {
        return fail(Exit::Refused, fmt::format("only root can do that\n  sudo l4d2ctl {} …", session.verb));
    }
    ConfigText text;
    const auto read = [&] { text = read_config_text(session.config_path, ConfigOwner::Root); };
    if (session.config_path == config_file)
        read();
    else if (auto allowed = with_rights_of_caller(read); !allowed)
        return allowed;
    if (!text) return fail(Exit::Invalid, text.error());
    return configure(session, *text);
}

Exit exit_for(SourceErrorKind error_kind) {
    return error_kind == SourceErrorKind::None ? Exit::Done : exit_for(operations::kind_of(error_kind));
}

namespace {

void report_source_error(SourceErrorKind error_kind, const std::string& error, const std::string& revision) {
    if (error_kind != SourceErrorKind::None)
        print_error(fmt::format("{}the last good revision {} stays in force\n", error, revision));
    else if (!error.empty())
        print_error(error);
}

}  // namespace

void report_source_error(const ActiveRevision& in_force) {
    report_source_error(in_force.error_kind, in_force.error, in_force.snapshot.revision);
}

void report_source_error(const StepReport& report) {
    report_source_error(report.error_kind, report.source_error, report.revision);
}

void tell_trouble_briefly(const ActiveRevision& in_force) {
    // The lines below an error that are indented say what to do about it.
    std::string brief;
    int errors = 0;
    for (std::string_view rest = in_force.error; !rest.empty();) {
        const std::size_t end = rest.find('\n');
        const std::string_view line = rest.substr(0, end == std::string_view::npos ? end : end + 1);
        rest.remove_prefix(line.size());
        if (!line.starts_with(' ')) ++errors;
        if (errors <= 1) brief += line;
    }
    if (errors > 1) brief += fmt::format("{} more: l4d2ctl status\n", errors - 1);
    report_source_error(in_force.error_kind, brief, in_force.snapshot.revision);
}

void print(const std::string& text) {
    // A program that reads our output gets every byte.
    static const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    const std::string shown = terminal ? for_locale(fit_for_terminal(text), STDOUT_FILENO) : text;
    (void)std::fwrite(shown.data(), 1, shown.size(), stdout);
}

void print_error(const std::string& message) {
    const std::string text = fit_for_terminal(message);
    (void)std::fflush(stdout);  // keeps the order of messages
    const std::string shown = for_locale(text, STDERR_FILENO);
    (void)std::fwrite(shown.data(), 1, shown.size(), stderr);
    if (!text.ends_with('\n')) (void)std::fputc('\n', stderr);
}

void warn_of_stale_pins(const std::vector<StalePin>& stale) {
    for (const StalePin& pin : stale) print_error(fmt::format("warning: {}\n", printable_line(to_text(pin))));
}

Result<operations::View> begin_reading(Session& session) {
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    auto view = operations::observe(session);
    if (!view) return std::unexpected(view.error());
    tell_trouble_briefly(view->in_force);
    return std::move(*view);
}

}  // namespace left4me::ctl
