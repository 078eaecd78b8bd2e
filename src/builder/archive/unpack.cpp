#include "builder/archive/unpack.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "adapters/fd.hpp"
#include "adapters/store/files.hpp"
#include "builder/archive/entries.hpp"
#include "builder/archive/read_archive.hpp"
#include "builder/confinement.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

using Kind = Message::Kind;

/// In the child. The archive and the pipe are all that stays open, in the place of stdin and stdout.
[[noreturn]] void run_reader(int archive, int pipe) {
    constexpr int first = STDIN_FILENO;
    // Parked above both places first, in case one of them is in the place of the other.
    constexpr int high = 64;
    const int from = ::fcntl(archive, F_DUPFD, high);
    const int into = ::fcntl(pipe, F_DUPFD, high);
    const bool kept = from >= 0 && into >= 0 && ::dup2(from, first) == first && ::dup2(into, first + 1) >= 0;
    const bool closed = ::syscall(SYS_close_range, first + 2, ~0U, 0) == 0;
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Names are UTF-8 in a tar file, and UTF-16 in a 7z file.
    (void)std::setlocale(LC_CTYPE, "C.UTF-8");
    const auto confined = confine_build(Confinement::ParseOnly);
    if (kept && closed && confined) {
        try {
            read_archive(first, first + 1);
        } catch (const std::bad_alloc&) {
            (void)send_message(
                first + 1, {.kind = Kind::Failed,
                            .text = "unpacking it needs too much memory; pack it with a smaller dictionary",
                            .more = {}});
        }
    } else {
        (void)send_message(kept ? first + 1 : pipe,
                           {.kind = Kind::Failed,
                            .text = confined ? "its process could not be confined" : confined.error().message,
                            .more = {}});
    }
    ::_exit(0);
}

class Reader {
  public:
    static Built<Reader> start(int archive) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0) return own_failure(errno, store::io_error("pipe").error());
        Reader reader;
        reader.pipe_ = Fd(ends[0]);
        const Fd child_end(ends[1]);
        // Fewer switches between the two.
        (void)::fcntl(reader.pipe_.get(), F_SETPIPE_SZ, 2 * static_cast<int>(max_data_bytes));
        reader.pid_ = ::fork();
        if (reader.pid_ < 0) return own_failure(errno, store::io_error("fork").error());
        if (reader.pid_ == 0) run_reader(archive, child_end.get());
        return reader;
    }
    Reader(Reader&& other) noexcept : pipe_(std::move(other.pipe_)), pid_(std::exchange(other.pid_, -1)) {}
    Reader& operator=(Reader&&) = delete;
    ~Reader() {
        if (pid_ <= 0) return;
        (void)::kill(pid_, SIGKILL);
        (void)wait();
    }

    int pipe() const { return pipe_.get(); }

    /// Why its pipe has ended before the archive has.
    std::unexpected<BuildError> end() {
        const int status = wait();
        if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
            return std::unexpected(BuildError{
                BuildFailureKind::OutOfMemory,
                "unpacking the archive needs more memory than the unit's MemoryMax=; pack it with a smaller "
                "dictionary"});
        }
        const std::string how =
            WIFSIGNALED(status)
                ? fmt::format("was killed by signal {} ({})", WTERMSIG(status), ::strsignal(WTERMSIG(status)))
                : fmt::format("ended with {}", WEXITSTATUS(status));
        return source_failure("the archive is damaged or hostile: the process that read it " + how);
    }

  private:
    Reader() = default;

    int wait() {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return status;
    }

    Fd pipe_;
    pid_t pid_ = -1;
};

Built<void> write(const Message& message, TreeWriter& writer) {
    switch (message.kind) {
        case Kind::Directory:
            return writer.directory(message.text);
        case Kind::File:
            return writer.begin_file(message.text, (message.number & S_IXUSR) != 0);
        case Kind::Link:
            return writer.link(message.text, message.more);
        case Kind::HardLink:
            return writer.hard_link(message.text, message.more);
        case Kind::Refused:
            return writer.refuse(message.text, printable_line(message.more));
        case Kind::Data:
            return writer.write(message.number, message.text);
        case Kind::EndOfFile:
            return writer.end_file(message.number);
        case Kind::Failed:
            return source_failure(message.text.empty() ? "it cannot be read" : printable_line(message.text));
        case Kind::End:
            return {};
    }
    return {};
}

}  // namespace

Built<void> unpack(int archive, std::uint64_t archive_bytes, TreeWriter& writer, Progress& progress,
                   const RatioLimit& limit) {
    if (::lseek(archive, 0, SEEK_SET) != 0) return own_failure(errno, store::io_error("the archive").error());
    auto reader = Reader::start(archive);
    if (!reader) return std::unexpected(reader.error());
    // Of what the archive gives, whether it is kept or left out.
    std::uint64_t unpacked = 0;
    const std::uint64_t most = limit.free_bytes + limit.ratio * archive_bytes;
    Message message;
    while (true) {
        if (const auto got = next_message(reader->pipe(), message); !got) {
            if (got.error() == NoMessage::Invalid)
                return source_failure("the process that read it sent nonsense: the archive is hostile");
            return reader->end();
        }
        if (message.kind == Kind::Data) unpacked += message.text.size();
        if (auto written = write(message, writer); !written) return written;
        if (std::max(unpacked, writer.bytes()) > most) {
            return source_failure(
                fmt::format("unpacks to more than {} times its size, as archives do that "
                            "are made to fill a disk",
                            limit.ratio));
        }
        if (message.kind == Kind::End) return {};
        if (message.kind == Kind::File) progress.file();
        progress.at(message.position);
    }
}

}  // namespace left4me::builder
