#include "operations/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string file;
    operations::BackupRequest request;
};

std::string contents(const operations::BackupRequest& request, const operations::BackupMade& made) {
    const std::string wrote = made.servers.empty()
                                  ? "no server has written anything"
                                  : fmt::format("what {} wrote", fmt::join(made.servers, ", "));
    if (!request.server.empty()) return wrote;
    return fmt::format("manifests, state, {}; {}", wrote,
                       request.secrets ? "secrets, encrypted" : "no secrets (--secrets)");
}

Result<Exit> write_backup(Session& session, const Options& options, int out) {
    const auto made = operations::back_up(session, options.request, out);
    if (!made) return std::unexpected(made.error());
    if (!made->notes.empty()) print_error(made->notes);
    if (!made->running.empty())
        print_error(fmt::format("{} ran meanwhile: what was being written may be half in it",
                                fmt::join(made->running, ", ")));
    if (out != STDOUT_FILENO) print(fmt::format("{}: {}\n", options.file, contents(options.request, *made)));
    return Exit::Done;
}

Result<Exit> backup(Session& session, const Options& options) {
    if (auto entered = enter_as_root(session); !entered) return std::unexpected(entered.error());
    if (!options.request.server.empty()) {
        if (const auto name = parse_server_name(options.request.server); !name)
            return std::unexpected(name.error());
    }
    if (options.file == "-") {
        if (::isatty(STDOUT_FILENO) == 1)
            return fail(Exit::Usage, "a backup is not for a terminal; name a file, or send it to a program");
        return write_backup(session, options, STDOUT_FILENO);
    }
    struct stat status{};
    if (::lstat(options.file.c_str(), &status) == 0)
        return fail(Exit::Refused, options.file + " is there already; a backup replaces nothing");
    // It may contain what servers keep from other users, even without secrets.
    const std::string partial = options.file + ".partial";
    (void)::unlink(partial.c_str());  // of a backup that was killed; or somebody has it open
    const Fd file(::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file || ::fchmod(file.get(), 0600) != 0) return fail(Exit::Refused, errno_message(partial, errno));
    auto done = write_backup(session, options, file.get());
    if (done && ::renameat2(AT_FDCWD, partial.c_str(), AT_FDCWD, options.file.c_str(), RENAME_NOREPLACE) != 0)
        done = fail(Exit::Refused, errno_message(options.file, errno));
    if (!done) (void)::unlink(partial.c_str());
    return done;
}

}  // namespace

void add_backup(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "backup", "Writes manifests, state and what servers wrote into one file",
                 "  sudo l4d2ctl backup left4me.tar.zst\n"
                 "  sudo l4d2ctl backup left4me.age --secrets --passphrase\n"
                 "  sudo l4d2ctl backup coop1.tar.zst --server coop1\n"
                 "  sudo l4d2ctl backup - | ssh nas 'cat >left4me.tar.zst'",
                 [&session, options] { return backup(session, *options); });
    verb.argument("FILE", options->file, "The file to write, or - for standard output", Words::Files);
    verb.option("--server", options->request.server, "Only what this server wrote", Words::Servers);
    verb.flag("--secrets", options->request.secrets, "Also secrets and keys; the backup must be encrypted");
    verb.repeated("--recipient", options->request.recipients,
                  "Encrypt with age for this public key (age1… or ssh-ed25519 …); may be given again", false);
    verb.flag("--passphrase", options->request.passphrase,
              "Encrypt with age and a passphrase, which it asks for");
}

}  // namespace left4me::ctl
