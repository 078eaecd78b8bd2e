#include "specs/instance_spec.hpp"

#include <fmt/format.h>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/input.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string server;
    std::string file;
    bool dry_run = false;
};

Result<Exit> initialize(Session& session, const Options& options) {
    const auto name = parse_server_name(options.server);
    if (!name) return std::unexpected(name.error());
    const auto inputs = read_inputs({options.file});
    if (!inputs) return std::unexpected(inputs.error());
    if (inputs->size() != 1) return fail(Exit::Usage, options.file + ": one spec makes one server");
    if (auto entered = drop_privileges_and_configure(session, options.dry_run ? Access::Read : Access::Act);
        !entered)
        return std::unexpected(entered.error());
    // A Server that exists would be stopped, with everybody on it.
    if (const auto in_force = operations::read_source(session);
        in_force && (in_force->set.servers.contains(*name) || in_force->set.blueprints.contains(*name)))
        return fail(
            Exit::Refused,
            fmt::format("there is a server or a blueprint {0} already; l4d2ctl describe server {0}", *name));
    const auto manifests = convert_instance_spec(*name, inputs->front());
    if (!manifests) return fail(Exit::Invalid, to_string(manifests.error()));
    print(*manifests);
    if (options.dry_run) return Exit::Done;
    print("---\n");
    const std::vector<SourceFile> converted{{inputs->front().name + " (as shown above)", *manifests}};
    const auto edited =
        edit_and_reconcile(session, [&] { return operations::propose(session, converted); }, std::nullopt);
    if (edited && *edited == Exit::Done)
        print_error(
            fmt::format("sudo l4d2ctl start {} starts it, from now on after every boot as well", *name));
    return edited;
}

}  // namespace

void add_initialize(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "initialize",
                            "Converts a spec of version 1 into a Blueprint and a stopped Server",
                            "  sudo l4d2ctl initialize comp1 -f comp1.yaml\n"
                            "  l4d2ctl initialize comp1 -f comp1.yaml --dry-run",
                            [&session, options] { return initialize(session, *options); });
    verb.argument("SERVER", options->server, "The name of the server and of its Blueprint");
    verb.required_option("-f,--file", options->file,
                         "The spec: port, overlays, arguments, config; - for standard input");
    verb.flag("--dry-run", options->dry_run, "Only print the manifests");
}

}  // namespace left4me::ctl
