#include "operations/import.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <expected>
#include <sstream>
#include <utility>

#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/question.hpp"
#include "l4d2ctl/verbs.hpp"
#include "specs/instance_spec.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    bool dry_run = false;
    bool yes = false;
    bool undo = false;
};

constexpr std::size_t max_request_bytes = std::size_t{1} << 20U;

/// A process that stays root while this one becomes left4me and parses. It takes one request, of names alone.
class RootPart {
  public:
    explicit RootPart(const Paths& paths) {
        std::array<int, 2> request{-1, -1};
        std::array<int, 2> answer{-1, -1};
        if (::pipe2(request.data(), O_CLOEXEC) != 0 || ::pipe2(answer.data(), O_CLOEXEC) != 0) return;
        Fd asked(request[0]);
        Fd answered(answer[1]);
        request_ = Fd(request[1]);
        answer_ = Fd(answer[0]);
        pid_ = ::fork();
        if (pid_ != 0) return;
        request_.reset();
        answer_.reset();
        (void)::umask(022);  // systemd's directories are for everybody to read
        const auto done = serve(paths, asked.get());
        if (!done) (void)!::write(answered.get(), done.error().data(), done.error().size());
        ::_exit(done ? 0 : 1);
    }
    RootPart(const RootPart&) = delete;
    RootPart& operator=(const RootPart&) = delete;
    ~RootPart() {
        request_.reset();
        if (pid_ > 0) (void)::waitpid(pid_, nullptr, 0);
    }

    Result<void> ask(const std::string& text) {
        if (pid_ <= 0 ||
            ::write(request_.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
            return fail(Exit::Refused, "root's part could not be asked");
        request_.reset();
        const auto why = read_descriptor(answer_.get(), "root's part", max_request_bytes);
        int status = 0;
        const bool ended = ::waitpid(std::exchange(pid_, -1), &status, 0) > 0;
        if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0) return {};
        return fail(Exit::Refused, why ? *why : why.error());
    }

  private:
    static std::expected<void, std::string> serve(const Paths& paths, int asked) {
        const auto text = read_descriptor(asked, "request", max_request_bytes);
        if (!text || text->empty()) return std::unexpected("nothing was asked");
        std::istringstream lines(*text);
        std::string what;
        std::string name;
        std::vector<std::string> servers;
        std::vector<std::string> overlays;
        std::vector<std::string> objects;
        bool undo = false;
        while (lines >> what >> name) {
            if (what == "server") servers.push_back(name);
            if (what == "overlay") overlays.push_back(name);
            if (what == "object") objects.push_back(name);
            if (what == "undo") undo = true;
        }
        return undo ? operations::hand_back(paths) : operations::hand_over(paths, servers, overlays, objects);
    }

    Fd request_;
    Fd answer_;
    pid_t pid_ = -1;
};

Result<Exit> undo(Session& session, RootPart& root) {
    const auto forgotten = operations::forget_import(session);
    if (!forgotten) return std::unexpected(forgotten.error());
    if (auto done = root.ask("undo all\n"); !done) return std::unexpected(done.error());
    print(fmt::format(
        "{} manifests removed; the old platform's units are in force again, and no server was restarted. "
        "left4me.service must stay disabled.\n",
        *forgotten));
    return Exit::Done;
}

void show(const Paths& paths, const operations::Import& import) {
    print(import.manifests.text);
    for (const std::string& directory : import.overlays)
        print(fmt::format("# copies {} to /srv/left4me/{}\n", (paths.overlays() / directory).string(),
                          name_of_old_overlay(directory)));
    print(fmt::format(
        "# {} servers, {} of them running: they run on as they are, and become left4me's at their "
        "next start\n",
        import.servers.size(), import.running.size()));
}

/// Perhaps units and owners are left4me's already, while no manifest is there: then a server that ends cannot
/// start again.
Result<Exit> half_imported(Failure failure) {
    failure.message += "\nhalf imported; put it back: sudo l4d2ctl import --undo";
    return std::unexpected(std::move(failure));
}

Result<Exit> import_host(Session& session, const Options& options) {
    if (::geteuid() != 0)
        return fail(Exit::Refused,
                    "import changes units and owners: run it as root\n  sudo l4d2ctl import …");
    RootPart root(session.paths);
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    if (options.undo) return undo(session, root);
    const auto import = operations::plan_import(session);
    if (!import) return std::unexpected(import.error());
    show(session.paths, *import);
    const auto propose = [&] { return operations::propose(session, {import->manifests}); };
    if (const auto valid = propose(); !valid) return std::unexpected(valid.error());
    if (options.dry_run) return Exit::Done;
    if (!options.yes) {
        if (::isatty(STDIN_FILENO) == 0) return fail(Exit::Usage, "import changes this host: say --yes");
        if (!agrees("Import this host?")) return fail(Exit::Refused, "nothing was imported");
    }
    std::string request;
    for (const std::string& server : import->servers) request += fmt::format("server {}\n", server);
    for (const std::string& directory : import->overlays) request += fmt::format("overlay {}\n", directory);
    for (const std::string& object : import->objects) request += fmt::format("object {}\n", object);
    if (auto done = root.ask(request); !done) return half_imported(done.error());
    const auto edited = operations::commit(session, propose);
    if (!edited) return half_imported(edited.error());
    tell_effects(session, *edited);
    print_error("The way back is sudo l4d2ctl import --undo, while l4d2d does not run.");
    return reconcile(session, std::nullopt);
}

}  // namespace

void add_import(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "import",
                            "Adopts the servers of a host of the old Python platform, also running ones",
                            "  sudo l4d2ctl import --dry-run\n  sudo l4d2ctl import\n"
                            "  sudo l4d2ctl import --undo",
                            [&session, options] { return import_host(session, *options); });
    verb.flag("--dry-run", options->dry_run, "Only show what would be done");
    verb.flag("--yes", options->yes, "Do not ask");
    verb.flag("--undo", options->undo, "The way back; no server is restarted");
}

}  // namespace left4me::ctl
