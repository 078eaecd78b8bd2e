#include "operations/restore.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cerrno>

#include "adapters/files.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/question.hpp"
#include "l4d2ctl/repository.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string file;
    operations::RestoreRequest request;
    bool overwrite = false;
};

/// What is replaced is lost for good, so a person must agree.
Result<void> confirm(const operations::Restoration& restoration, const std::string& file) {
    const std::string lost = fmt::format("{}", fmt::join(restoration.replaced(), "\n  "));
    if (::isatty(STDIN_FILENO) == 0 || file == "-")
        return fail(Exit::Refused,
                    fmt::format("nothing was restored: this is there already, and would be lost; "
                                "to replace it, say --overwrite\n  {}",
                                lost));
    if (agrees(fmt::format("This is replaced, and lost:\n  {}\nContinue?", lost))) return {};
    return fail(Exit::Refused, "nothing was restored");
}

Result<Exit> restore(Session& session, const Options& options) {
    if (auto entered = enter_as_root(session); !entered) return std::unexpected(entered.error());
    if (!options.request.server.empty()) {
        if (const auto name = parse_server_name(options.request.server); !name)
            return std::unexpected(name.error());
    }
    Fd opened;
    if (options.file != "-") {
        opened = Fd(::open(options.file.c_str(), O_RDONLY | O_CLOEXEC));
        if (!opened) return fail(Exit::NotFound, errno_message(options.file, errno));
    }
    std::vector<std::string> servers;
    std::string origin;
    {
        auto restoration =
            operations::Restoration::unpack(session, options.request, opened ? opened.get() : STDIN_FILENO);
        if (!restoration) return std::unexpected(restoration.error());
        if (!options.overwrite && !restoration->replaced().empty()) {
            if (auto agreed = confirm(*restoration, options.file); !agreed)
                return std::unexpected(agreed.error());
        }
        if (auto placed = restoration->place(session); !placed) return std::unexpected(placed.error());
        for (const std::string& part : restoration->parts()) print(fmt::format("restored {}\n", part));
        if (!restoration->repository().empty()) {
            // As the configuration says that came with it, but nowhere else.
            if (auto entered = enter_as_root(session); !entered) return std::unexpected(entered.error());
            const std::string named = session.config.git.value_or(GitSettings{}).repository;
            if (named != restoration->repository())
                return fail(Exit::Refused,
                            fmt::format("the repository of manifests was restored to {}, but {}, which was "
                                        "restored as well, names {}: nothing was set up there; correct it, "
                                        "then:\n  sudo l4d2ctl init-repo",
                                        restoration->repository().string(), session.config_path, named));
            if (const auto told = lay_out_repository(session, operators_group); !told)
                return std::unexpected(told.error());
        }
        servers = restoration->servers();
        origin = fmt::format("{} at {}", restoration->host(), restoration->made());
    }
    if (auto dropped = give_up_privileges(Access::Act, session.verb); !dropped)
        return std::unexpected(dropped.error());
    if (options.request.server.empty()) {
        print("Start l4d2d when you are ready: sudo systemctl start left4me.service\n");
        return Exit::Done;
    }
    operations::tell_restored(session, servers, origin);
    return Exit::Done;
}

}  // namespace

void add_restore(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "restore", "Verifies a backup as a whole, then puts what it contains in place",
                 "  sudo l4d2ctl restore left4me.tar.zst\n"
                 "  sudo l4d2ctl restore left4me.age --identity key.txt\n"
                 "  sudo l4d2ctl restore left4me.tar.zst --server coop1",
                 [&session, options] { return restore(session, *options); });
    verb.argument("FILE", options->file, "The backup, or - for standard input", Words::Files);
    verb.option("--server", options->request.server, "Only what this server wrote", Words::Servers);
    verb.repeated("--identity", options->request.identities,
                  "Decrypt with the private key in this file; otherwise age asks for the passphrase", false);
    verb.flag("--overwrite", options->overwrite, "Replace what is there already, without asking");
}

}  // namespace left4me::ctl
