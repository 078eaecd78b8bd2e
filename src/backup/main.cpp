// left4me-backup, run by l4d2ctl as root:
//   left4me-backup pack ABOUT PATH=FILE…             writes a backup to standard output; descriptor 3 is
//                                                    closed when only what servers wrote is left to pack
//   left4me-backup unpack SECTION=DIRECTORY…         verifies the one on standard input, and unpacks it there
// A program of its own, so that l4d2ctl does not load libarchive for everything else that it does.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <exception>
#include <span>
#include <string>
#include <string_view>

#include "adapters/no_tracing.hpp"
#include "backup/pack.hpp"
#include "backup/unpack.hpp"

namespace {

constexpr std::size_t max_told = 100;

void say(const std::string& line) { (void)std::fputs((line + "\n").c_str(), stderr); }

int usage() {
    say("usage: left4me-backup pack ABOUT PATH=FILE… | unpack SECTION=DIRECTORY…");
    return 2;
}

int run(std::span<char*> arguments) {
    if (arguments.size() < 3) return usage();
    const std::string_view verb = arguments[1];
    const bool packing = verb == "pack";
    if (!packing && verb != "unpack") return usage();
    left4me::backup::Packing pack;
    left4me::backup::Destinations destinations;
    for (const std::string_view pair : arguments.subspan(packing ? 3 : 2)) {
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos) return usage();
        const std::string path(pair.substr(0, equals));
        const std::string_view place = pair.substr(equals + 1);
        if (packing)
            pack.roots.push_back({path, place});
        else
            destinations[path] = place;
    }
    std::expected<void, std::string> done;
    if (packing) {
        pack.about = arguments[2];
        pack.rest_is_servers = [] { (void)::close(3); };
        std::size_t left_out = 0;
        pack.left_out = [&left_out](const std::string& what) {
            if (++left_out <= max_told) say("left out: " + what);
        };
        done = left4me::backup::pack(pack, STDOUT_FILENO);
        if (left_out > max_told) say(fmt::format("left out: {} more", left_out - max_told));
    } else {
        done = left4me::backup::unpack(STDIN_FILENO, destinations);
    }
    if (done) return 0;
    say(done.error());
    return 1;
}

}  // namespace

int main(int argc, char** argv) {
    left4me::deny_tracing();
    (void)std::setlocale(LC_CTYPE, "C.UTF-8");  // names in a tar file are UTF-8
    try {
        return run(std::span(argv, static_cast<std::size_t>(argc)));
    } catch (const std::exception& exception) {
        say(fmt::format("left4me-backup: {}", exception.what()));
        return 1;
    }
}
