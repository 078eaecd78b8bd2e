#include "operations/view.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "adapters/store/status_file.hpp"

namespace left4me::operations {

namespace {

/// A user who cannot see the renderings would be told that there are none: better nothing than something
/// wrong.
Result<void> check_sight(const Context& context) {
    const std::filesystem::path instances = context.paths.instances();
    if (::access(instances.c_str(), R_OK | X_OK) == 0 || errno != EACCES) return {};
    return fail(ErrorKind::PermissionDenied,
                fmt::format("{}: only root and user {} may read this, because it contains secrets\n"
                            "  sudo {} …",
                            instances.string(), service_user, context.purpose));
}

}  // namespace

ErrorKind kind_of(SourceErrorKind error_kind) {
    switch (error_kind) {
        case SourceErrorKind::Invalid:
            return ErrorKind::InvalidManifest;
        case SourceErrorKind::Held:
            return ErrorKind::RevisionHeld;
        case SourceErrorKind::Vanished:
        case SourceErrorKind::None:
            return ErrorKind::SourceUnavailable;
    }
    return ErrorKind::SourceUnavailable;
}

Error source_error(const Context& context, SourceErrorKind error_kind, std::string message) {
    // A repository's own message names the remedy.
    if (error_kind == SourceErrorKind::Vanished && !context.config.git) {
        message += "  sudo l4d2ctl apply -f FILE adds a manifest; source.directory in " +
                   context.config_path + " says where\n";
    }
    return {kind_of(error_kind), std::move(message)};
}

Result<ActiveRevision> read_source(Context& context) {
    auto in_force = revision_in_force(context.paths, *context.source, context.config.limits);
    if (!in_force) {
        SourceError& error = in_force.error();
        return std::unexpected(source_error(context, error.error_kind, std::move(error.message)));
    }
    return std::move(*in_force);
}

Result<std::set<std::string>> select_requested(Context& context, const Selection& selection,
                                               std::set<std::string> requested) {
    if (selection.all) return requested;
    std::set<std::string> selected(selection.names.begin(), selection.names.end());
    if (!selection.selector.empty()) {
        const auto in_force = read_source(context);
        if (!in_force) return std::unexpected(in_force.error());
        const auto labeled = select_servers(selection, in_force->set);
        if (!labeled) return std::unexpected(labeled.error());
        selected.insert(labeled->begin(), labeled->end());
    }
    std::erase_if(requested, [&](const std::string& server) { return !selected.contains(server); });
    return requested;
}

Result<std::unique_ptr<SystemdHost>> connect(const Context& context) {
    auto units = Units::connect(context.paths);
    if (!units) return fail(ErrorKind::HostUnavailable, "cannot ask systemd: " + units.error());
    return std::make_unique<SystemdHost>(context.paths, std::move(*units));
}

Result<Seen> look_at(const Context& context, Desired desired) {
    if (auto allowed = check_sight(context); !allowed) return std::unexpected(allowed.error());
    auto machine = connect(context);
    if (!machine) return std::unexpected(machine.error());
    Seen seen;
    seen.paths = context.paths;
    seen.intent = load_intent(context.paths);
    Engine engine(**machine, load_status(context.paths));
    auto looked = engine.observe({std::make_shared<const Desired>(std::move(desired)), seen.intent,
                                  engine.status().source_error, context.config.keep_artifacts});
    if (!looked) return fail(ErrorKind::HostUnavailable, looked.error());
    seen.machine = std::move(*machine);
    seen.target = std::move(looked->target);
    seen.observed = std::move(looked->observed);
    seen.plan = std::move(looked->difference);
    seen.status = engine.status();
    return seen;
}

Result<View> observe(Context& context) {
    auto in_force = read_source(context);
    if (!in_force) return std::unexpected(in_force.error());
    auto seen = look_at(context, in_force->desired());
    if (!seen) return std::unexpected(seen.error());
    return View{std::move(*seen), std::move(*in_force)};
}

Result<Desired> own_revision(Context& context) {
    const auto in_force = read_source(context);
    if (!in_force) return std::unexpected(in_force.error());
    if (in_force->error_kind != SourceErrorKind::None)
        return fail(kind_of(in_force->error_kind), in_force->error);
    return in_force->desired();
}

Result<Desired> other_revision(Context& context, const std::string& revision) {
    auto snapshot = last_good(context.paths);
    if (!snapshot || snapshot->revision != revision) {
        auto read = context.source->read_revision(revision);
        if (!read && read.error().error_kind == SourceErrorKind::Vanished)
            return fail(ErrorKind::NotFound, read.error().message);
        if (!read) return fail(kind_of(read.error().error_kind), read.error().message);
        snapshot = std::move(*read);
    }
    const auto set = load_snapshot(*snapshot, context.config.limits);
    if (!set) return fail(ErrorKind::InvalidManifest, set.error().message);
    return make_desired(*set, snapshot->revision);
}

}  // namespace left4me::operations
