#include <fmt/format.h>

#include "l4d2ctl/conflict_warnings.hpp"
#include "l4d2ctl/input.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

std::string count(std::size_t number, const char* what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

Result<Exit> validate(Session& session, const std::vector<std::string>& names) {
    const auto inputs = read_inputs(names);
    if (!inputs) return std::unexpected(inputs.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    const auto set = load(*inputs, session.config.limits);
    if (!set) return fail(Exit::Invalid, to_string(set.error()));
    print(fmt::format("valid: {}, {}, {}\n", count(set->servers.size(), "server"),
                      count(set->blueprints.size(), "blueprint"), count(set->overlays.size(), "overlay")));
    warn_of_stale_pins(stale_pins(*set));
    std::map<std::string, OverlaySource> sources;
    for (const auto& [name, overlay] : set->overlays) sources.emplace(name, overlay.source);
    warn_of_conflicts(session, sources, operations::stacks_of(*set));
    return Exit::Done;
}

}  // namespace

void add_validate(CLI::App& app, Session& session) {
    auto files = std::make_shared<std::vector<std::string>>();
    Command verb =
        add_verb(app, session, "validate", "Checks a whole set of manifests; needs no host, changes nothing",
                 "  l4d2ctl validate -f manifests/", [&session, files] { return validate(session, *files); });
    verb.repeated("-f,--file", *files, "FILE, DIR with everything beneath it, or - for standard input", true);
}

}  // namespace left4me::ctl
