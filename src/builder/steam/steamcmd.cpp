#include "builder/steam/steamcmd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <thread>

#include "adapters/store/files.hpp"
#include "adapters/store/steam_files.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

using Clock = std::chrono::steady_clock;
namespace room_of = store::steam_room;

constexpr std::chrono::milliseconds look_again{200};
/// How the unit's own lines begin.
constexpr std::string_view mark = "left4me ";
/// More than any of them has.
constexpr std::size_t max_own_line = 4096;

std::unexpected<BuildError> no_answer() {
    return source_failure(
        "steamcmd's unit left4me-install@ did not start; l4d2ctl logs installation/NAME says why");
}

}  // namespace

Built<SteamCmd> SteamCmd::open(int room, const SteamLimits& limits) {
    // One that was killed with its build may still be ending.
    const Fd lock(::openat(room, room_of::lock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!lock) return own_failure(errno, store::io_error(room_of::lock).error());
    const auto until = Clock::now() + limits.start;
    while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) return own_failure(errno, store::io_error(room_of::lock).error());
        if (Clock::now() > until) return source_failure("an earlier run of steamcmd does not end");
        std::this_thread::sleep_for(look_again);
    }
    Fd output(::openat(room, room_of::output, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!output) return own_failure(errno, store::io_error(room_of::output).error());
    return SteamCmd(room, std::move(output), limits);
}

Built<void> SteamCmd::send(const std::string& line) {
    const auto until = Clock::now() + limits_.start;
    while (true) {
        // Fails for as long as nobody reads.
        const Fd commands(::openat(room_, room_of::commands, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
        if (commands) {
            if (auto wrote = store::write_all(commands.get(), line, room_of::commands); !wrote)
                return own_failure(errno, wrote.error());
            return {};
        }
        if (errno != ENXIO) return own_failure(errno, store::io_error(room_of::commands).error());
        if (Clock::now() > until) return no_answer();
        std::this_thread::sleep_for(look_again);
    }
}

Built<bool> SteamCmd::take_line(std::string_view line) {
    line.remove_prefix(mark.size());
    const std::string_view word = line.substr(0, line.find(' '));
    const std::string_view rest = line.size() > word.size() ? line.substr(word.size() + 1) : "";
    if (word == "missing") {
        return source_failure(
            fmt::format("there is no steamcmd at {}: install Debian's package steamcmd (of the section "
                        "non-free), or name "
                        "another one with `steamcmd:` in /etc/left4me/config.yaml",
                        printable_line(rest)));
    }
    if (word == "begin" && rest == token_) begun_ = true;
    if (word != "end" || !begun_ || !rest.starts_with(token_ + " ")) return false;
    const std::string_view code = rest.substr(token_.size() + 1);
    exit_code_ = -1;
    (void)std::from_chars(code.data(), code.data() + code.size(), exit_code_);
    return true;
}

Built<int> SteamCmd::run(const std::string& arguments, SteamOutput& output,
                         const std::function<void()>& on_output) {
    token_ = fmt::format("{}-{}", ::getpid(), ++runs_);
    begun_ = false;
    if (auto sent = send(fmt::format("{} {}\n", token_, arguments)); !sent)
        return std::unexpected(sent.error());
    std::string line;  // not whole yet
    auto heard = Clock::now();
    std::optional<Clock::time_point> hung_up_at;
    while (true) {
        pollfd watched{output_.get(), POLLIN, 0};
        if (::poll(&watched, 1, static_cast<int>(look_again.count())) < 0 && errno != EINTR)
            return own_failure(errno, store::io_error("poll").error());
        std::array<char, 1U << 16U> buffer{};
        const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
        if (got < 0 && errno != EAGAIN && errno != EINTR)
            return own_failure(errno, store::io_error(room_of::output).error());
        if (got == 0 && begun_) {
            // If it is stopped together with this build, that is about to be told, and is no failure.
            hung_up_at = hung_up_at.value_or(Clock::now());
            if (Clock::now() - *hung_up_at > limits_.end)
                return source_failure("steamcmd's unit ended; l4d2ctl logs installation/NAME says why");
        }
        if (got == 0) std::this_thread::sleep_for(look_again);  // nobody has opened it yet
        if (got <= 0) {
            const auto silent = Clock::now() - heard;
            if (!begun_ && silent > limits_.start) return no_answer();
            if (silent > limits_.silence) {
                return std::unexpected(BuildError{
                    BuildFailureKind::TimedOut,
                    fmt::format("steamcmd has printed nothing for {} s", limits_.silence.count())});
            }
            continue;
        }
        heard = Clock::now();
        const std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
        for (const char c : bytes) {
            if (c != '\n' && c != '\r') {
                if (line.size() < max_own_line) line += c;
                continue;
            }
            if (line.starts_with(mark)) {
                const auto ended = take_line(line);
                if (!ended) return std::unexpected(ended.error());
                if (*ended) {
                    output.finish();
                    on_output();
                    return exit_code_;
                }
            } else if (begun_) {
                output.feed(line);
                output.feed("\n");
            }
            line.clear();
        }
        on_output();
    }
}

}  // namespace left4me::builder
