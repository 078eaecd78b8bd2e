#include "builder/script/output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/store/files.hpp"
#include "adapters/store/script_files.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

using Clock = std::chrono::steady_clock;
namespace room_of = store::script_room;

/// More lines than its unit ever sends.
constexpr std::size_t max_result_bytes = 4096;
constexpr std::size_t chunk = 1U << 17U;
constexpr std::chrono::milliseconds glance{500};

std::unexpected<BuildError> failed(const std::string& message) {
    return std::unexpected(BuildError{BuildFailureKind::ScriptFailed, message});
}

/// How the unit ended, by SERVICE_RESULT and EXIT_STATUS of systemd.exec(5); it has not said more.
std::unexpected<BuildError> ended(std::string_view words) {
    const std::string_view result = words.substr(0, words.find(' '));
    if (result == "oom-kill") {
        return std::unexpected(
            BuildError{BuildFailureKind::OutOfMemory,
                       "the script and its files needed more than the MemoryMax= of its unit"});
    }
    if (result == "timeout")
        return std::unexpected(BuildError{BuildFailureKind::TimedOut,
                                          "the script ran longer than the RuntimeMaxSec= of its unit"});
    return failed(fmt::format("the script's unit ended with {}", printable_line(words)));
}

class Receiver {
  public:
    Receiver(Fd output, Fd result, Fd file, const ScriptLimits& limits)
        : output_(std::move(output)), result_(std::move(result)), file_(std::move(file)), limits_(limits) {}

    Built<Fd> run(Progress& progress) {
        while (true) {
            if (auto checked = check_time(progress); !checked) return std::unexpected(checked.error());
            // Before somebody writes, and after, a FIFO is always ready.
            const bool open = begun_ && !hung_up_;
            std::array<pollfd, 2> watched{
                {{open ? output_.get() : -1, POLLIN, 0}, {result_.get(), POLLIN, 0}}};
            if (::poll(watched.data(), watched.size(), static_cast<int>(glance.count())) < 0 &&
                errno != EINTR)
                return own_failure(errno, store::io_error("poll").error());
            if (auto read = read_output(); !read) return std::unexpected(read.error());
            if (auto read = read_result(); !read) return std::unexpected(read.error());
            if (done_ && hung_up_) return std::move(file_);
        }
    }

  private:
    Built<void> check_time(Progress& progress) {
        const auto now = Clock::now();
        if (begun_) progress.elapsed(std::chrono::duration_cast<std::chrono::seconds>(now - *begun_));
        if (!begun_ && now - opened_ > limits_.start)
            return failed("the script's unit did not start; l4d2ctl logs overlay/NAME shows why");
        if (hung_up_ && now - hung_up_at_ > limits_.end)
            return failed(stopped_ ? "somebody stopped the script's unit"
                                   : "the script's unit ended without a word");
        if (begun_ && !hung_up_ && now - *begun_ > limits_.timeout) {
            return std::unexpected(BuildError{
                BuildFailureKind::TimedOut,
                fmt::format("the script ran longer than its timeout of {} s", limits_.timeout.count())});
        }
        return {};
    }

    /// The archive, as far as it has come. Its end is known only once the unit runs: before, nobody writes
    /// yet.
    Built<void> read_output() {
        std::array<char, chunk> buffer{};
        // Not forever: the lines and the clock are to be looked at, too.
        for (int rounds = 0; rounds < 64 && !hung_up_; ++rounds) {
            const ssize_t got = ::read(output_.get(), buffer.data(), buffer.size());
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
            if (got < 0) return own_failure(errno, store::io_error(room_of::output).error());
            if (got == 0) {
                if (!begun_) return {};
                hung_up_ = true;
                hung_up_at_ = Clock::now();
                return {};
            }
            bytes_ += static_cast<std::uint64_t>(got);
            if (bytes_ > limits_.bytes)
                return source_failure("the script leaves more than its disk and limits.overlayEntries allow");
            if (auto wrote = store::write_all(file_.get(), {buffer.data(), static_cast<std::size_t>(got)},
                                              "what the script left");
                !wrote)
                return own_failure(errno, wrote.error());
        }
        return {};
    }

    Built<void> read_result() {
        std::array<char, max_result_bytes> buffer{};
        const ssize_t got = ::read(result_.get(), buffer.data(), buffer.size());
        if (got <= 0) return {};
        lines_.append(buffer.data(), static_cast<std::size_t>(got));
        result_bytes_ += static_cast<std::size_t>(got);
        if (result_bytes_ > max_result_bytes)
            return failed("the script writes nonsense to where its sandbox says how it goes");
        for (std::size_t end = lines_.find('\n'); end != std::string::npos; end = lines_.find('\n')) {
            const std::string line = lines_.substr(0, end);
            lines_.erase(0, end + 1);
            if (auto taken = take(line); !taken) return taken;
        }
        return {};
    }

    Built<void> take(std::string_view line) {
        const std::string_view word = line.substr(0, line.find(' '));
        const std::string_view rest = line.size() > word.size() ? line.substr(word.size() + 1) : "";
        if (word == "running") {
            if (!begun_) (void)std::fprintf(stderr, "running the script\n");
            begun_ = begun_.value_or(Clock::now());
        } else if (word == "refused") {
            return failed(fmt::format("the script was not run, because {}", printable_line(rest)));
        } else if (word == "exited") {
            return failed(fmt::format("the script ended with exit code {}", printable_line(rest)));
        } else if (word == "unreadable") {
            return failed("what the script left could not be read; its log says why");
        } else if (word == "complete") {
            done_ = true;
        } else if (word == "ended" && rest.starts_with("success")) {
            // If it is stopped together with this build, that is about to be told, and is no failure.
            stopped_ = true;
        } else if (word == "ended" && !done_) {
            return ended(rest);
        }
        return {};
    }

    Fd output_;
    Fd result_;
    Fd file_;
    ScriptLimits limits_;
    std::uint64_t bytes_ = 0;
    std::size_t result_bytes_ = 0;
    std::string lines_;  ///< not whole yet
    Clock::time_point opened_ = Clock::now();
    std::optional<Clock::time_point> begun_;
    bool done_ = false;
    bool stopped_ = false;  ///< by somebody, before it was done
    bool hung_up_ = false;  ///< nobody has the output open for writing any more
    Clock::time_point hung_up_at_;
};

Built<Fd> open_fifo(int room, const char* name, int access) {
    Fd fifo(::openat(room, name, access | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    if (!fifo) return own_failure(errno, store::io_error(name).error());
    return fifo;
}

/// A file that is gone with its descriptor.
Built<Fd> make_spool(int directory) {
    constexpr const char* name = "spool";
    (void)::unlinkat(directory, name, 0);
    Fd file(::openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file || ::unlinkat(directory, name, 0) != 0)
        return own_failure(errno, store::io_error(name).error());
    return file;
}

}  // namespace

Built<Fd> receive_output(int room, int build_directory, const ScriptLimits& limits, Progress& progress) {
    auto file = make_spool(build_directory);
    if (!file) return file;
    // This one first: the sandbox goes on once the other is open. Also for writing: each line is written by
    // somebody who opens and closes it, which is no end.
    auto result = open_fifo(room, room_of::result, O_RDWR);
    if (!result) return result;
    auto output = open_fifo(room, room_of::output, O_RDONLY);
    if (!output) return output;
    return Receiver(std::move(*output), std::move(*result), std::move(*file), limits).run(progress);
}

}  // namespace left4me::builder
