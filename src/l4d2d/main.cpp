#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <exception>

#include "adapters/config/file.hpp"
#include "adapters/no_tracing.hpp"
#include "l4d2d/daemon.hpp"
#include "l4d2d/notify.hpp"

namespace {

using namespace left4me;

// Exit codes of systemd.exec(5) and sysexits.h: errors that a restart will not fix have their own codes.
constexpr int exit_failure = 1;
constexpr int exit_not_configured = 6;

int run(int argc, char** argv) {
    CLI::App app("left4me's daemon: keeps the servers of this host in line with their manifests", "l4d2d");
    std::string config_path = config_file;
    app.add_option("--config", config_path, "The configuration (default /etc/left4me/config.yaml)");
    app.set_version_flag("--version", "l4d2d " LEFT4ME_VERSION, "Shows the version");
    app.footer("systemctl start left4me runs it; use l4d2ctl to manage servers. See left4me(7).");
    CLI11_PARSE(app, argc, argv);

    // As root it could read, and quote in its messages, any file that --config names.
    if (::geteuid() == 0) {
        log(Level::Error, "l4d2d parses input of others and does not run as root: systemctl start left4me");
        return exit_failure;
    }
    auto config = read_config(config_path);
    if (!config) {
        log(Level::Error, config.error());
        return exit_not_configured;
    }
    auto daemon = Daemon::create(Paths{}, config_path, std::move(*config));
    if (!daemon) {
        log(Level::Error, daemon.error());
        return exit_failure;
    }
    (*daemon)->run();
    // The next pass repeats a copy that is in progress; nobody waits for it here.
    std::_Exit(EXIT_SUCCESS);
}

}  // namespace

int main(int argc, char** argv) {
    left4me::deny_tracing();
    // Otherwise glibc raises its threshold after the first large block, and keeps such blocks in the heap,
    // where small ones that live longer pin them.
    (void)::mallopt(M_MMAP_THRESHOLD, 64 * 1024);
    try {
        return run(argc, argv);
    } catch (const std::exception& exception) {
        log(Level::Error, exception.what());
        return exit_failure;
    }
}
