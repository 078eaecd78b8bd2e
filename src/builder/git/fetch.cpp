#include "builder/git/fetch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <optional>

#include "adapters/store/files.hpp"
#include "builder/git/git_server.hpp"
#include "builder/git/packets.hpp"
#include "builder/git/reference.hpp"
#include "builder/retries.hpp"
#include "builder/say.hpp"
#include "builder/staging.hpp"
#include "specs/remote_url.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

constexpr const char* part_name = "part";
/// Of what the server can do, and of references that begin with the wanted name.
constexpr std::uint64_t max_answer_bytes = 16U << 20U;
/// A server counts what it sends before it begins.
constexpr int patience = 4;
constexpr const char* shown = "the downloaded pack";

std::string name_of(const ObjectId& commit) { return "pack-" + to_text(commit); }

/// What left4me has to know of what a server can do.
struct Abilities {
    bool version_2 = false;
    bool lists = false;
    bool shallow = false;
    bool names_format = false;  ///< wants to be told which hash is used
    std::string format = "sha1";
};

bool has_word(std::string_view words, std::string_view word) {
    while (!words.empty()) {
        const std::size_t blank = std::min(words.find(' '), words.size());
        if (words.substr(0, blank) == word) return true;
        words.remove_prefix(std::min(blank + 1, words.size()));
    }
    return false;
}

void note(Abilities& abilities, std::string_view line) {
    const std::size_t equals = std::min(line.find('='), line.size());
    const std::string_view name = line.substr(0, equals);
    const std::string_view value = line.substr(std::min(equals + 1, line.size()));
    if (line == "version 2") abilities.version_2 = true;
    if (name == "ls-refs") abilities.lists = true;
    if (name == "fetch") abilities.shallow = has_word(value, "shallow");
    if (name == "object-format") {
        abilities.names_format = true;
        abilities.format = value;
    }
}

std::unique_ptr<GitServer> server_of(const GitSource& source, const DownloadSettings& settings) {
    const auto url = parse_remote_url(source.url);
    const bool ssh = url && url->scheme == RemoteUrl::Scheme::Ssh;
    return ssh ? over_ssh(source, settings) : over_https(source, settings);
}

class Remote {
  public:
    Remote(const GitSource& source, int build_directory, Progress& progress, const DownloadSettings& settings)
        : source_(source),
          build_directory_(build_directory),
          progress_(progress),
          settings_(settings),
          input_(fingerprint(source)),
          server_(server_of(source, settings)) {}

    /// What the ref stands for, and nothing else.
    Built<GitPin> look_up() {
        if (auto asked = ask_abilities(); !asked) return std::unexpected(asked.error());
        const auto commit = find_commit();
        if (!commit) return std::unexpected(commit.error());
        return GitPin{to_text(*commit)};
    }

    Built<SourceObjects> run() {
        if (auto asked = ask_abilities(); !asked) return std::unexpected(asked.error());
        const auto commit = find_commit();
        if (!commit) return std::unexpected(commit.error());
        auto directory = store::make_directory(build_directory_, Staging::download_name, 0750);
        if (!directory) return own_failure(errno, directory.error());
        directory_ = std::move(*directory);
        SourceObjects objects;
        objects.commit = *commit;
        objects.packs.emplace_back();
        OpenFile& pack = objects.packs.front().pack;
        pack.file = open_pack(*commit);
        if (!pack.file) {
            if (auto fetched = fetch(*commit); !fetched) return std::unexpected(fetched.error());
            pack.file = open_pack(*commit);
        }
        struct stat status{};
        if (!pack.file || ::fstat(pack.file.get(), &status) != 0) return own();
        pack.bytes = static_cast<std::uint64_t>(status.st_size);
        return objects;
    }

  private:
    using OnPacket = PacketReader::OnPacket;

    static std::unexpected<BuildError> own() {
        const int error = errno;
        return own_failure(error, store::io_error(shown).error());
    }
    std::unexpected<BuildError> error(const std::string& what) const {
        return source_failure(printable_line(fmt::format("{}: {}", source_.url, what)));
    }
    Fd open_pack(const ObjectId& commit) const {
        return Fd(::openat(directory_.get(), name_of(commit).c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    }

    std::string command_head(std::string_view name) const {
        std::string body = packet(fmt::format("command={}", name));
        if (abilities_.names_format) body += packet("object-format=" + abilities_.format);
        return body.append(delimiter_packet);
    }

    /// One question to the server.
    using Question = std::function<TransferResult(const AnswerSink& sink)>;
    static Question introduction(GitServer& server, const TransferLimits& limits) {
        return [&server, &limits](const AnswerSink& sink) { return server.introduce(limits, sink); };
    }
    Question command(const std::string& body, const TransferLimits& limits) const {
        return [this, body, &limits](const AnswerSink& sink) { return server_->ask(body, limits, sink); };
    }

    /// Asks, again while that may help.
    Built<TransferResult> persist(const Question& question, const AnswerSink& sink) {
        Retries retries(settings_);
        while (true) {
            failure_.reset();
            TransferResult result = question(sink);
            switch (result.end) {
                case TransferEnd::Complete:
                    return result;
                case TransferEnd::OwnError:
                    if (failure_) return std::unexpected(*failure_);
                    return error(result.message);
                case TransferEnd::Refused:
                    return error(result.message);
                case TransferEnd::Interrupted:
                case TransferEnd::Stale:
                case TransferEnd::NothingMore:
                    break;
            }
            if (const auto given_up = retries.wait(source_.url, result)) return error(*given_up);
        }
    }

    /// Asks what packets answer, of at most so many bytes. `restart`: what an earlier try received does not
    /// count.
    Built<TransferResult> packets(const Question& question, std::uint64_t most, const OnPacket& on_packet,
                                  const std::function<void()>& restart) {
        PacketReader reader;
        std::uint64_t bytes = 0;
        bool whole = false;
        AnswerSink sink;
        sink.begin = [&] {
            reader = {};
            bytes = 0;
            whole = false;
            restart();
            return !failure_;
        };
        sink.write = [&](std::string_view data) {
            bytes += data.size();
            if (bytes > most) return fail("the server's answer does not end");
            const auto note_end = [&](const Packet& packet) {
                whole = packet.kind == Packet::Kind::Flush;
                return on_packet(packet);
            };
            if (reader.add(data, note_end)) return true;
            if (!failure_) failure_ = not_git().error();
            return false;
        };
        sink.is_whole = [&] { return whole && reader.is_complete(); };
        auto result = persist(question, sink);
        if (!result) return result;
        if (result->web_page) return error("the server sent a web page; correct `url`");
        if (!reader.is_complete() && !abilities_.version_2) return not_git();
        if (!reader.is_complete()) return error("the server sent only a part");
        return result;
    }

    std::unexpected<BuildError> not_git() const {
        return error(
            fmt::format("the server does not answer as a git server does; {}", server_->requirement()));
    }
    /// For OnPacket.
    bool fail(const std::string& what) {
        failure_ = error(what).error();
        return false;
    }
    bool fail_as(std::string_view text) {
        return fail("the server says: " + std::string(text.substr(0, 200)));
    }

    /// A server may not have the commit any more: somebody has rewritten the branch.
    bool fail_to_send(const ObjectId& commit, std::string_view text) {
        if (!source_.pin) return fail_as(text);
        failure_ = not_as_pinned(
                       printable_line(fmt::format("{}: left4me.lock pins commit {}, and the server says: {}",
                                                  source_.url, to_text(commit), text.substr(0, 200))))
                       .error();
        return false;
    }

    Built<void> ask_abilities() {
        const auto result = packets(
            introduction(*server_, settings_.limits), max_answer_bytes,
            [this](const Packet& packet) {
                const std::string_view line = text_of(packet);
                if (line.starts_with("ERR ")) return fail_as(line.substr(4));
                note(abilities_, line);
                return true;
            },
            [this] { abilities_ = {}; });
        if (!result) return std::unexpected(result.error());
        if (!abilities_.version_2 || !abilities_.lists) return not_git();
        if (abilities_.format != "sha1")
            return error("its objects are named by " + abilities_.format +
                         ", which left4me does not support; use an archive");
        if (!abilities_.shallow)
            return error("the server sends no commit without its history; use an archive");
        return {};
    }

    Built<ObjectId> find_commit() {
        if (const auto id = parse_object_id(wanted_ref(source_))) return *id;
        if (source_.pin) return error("left4me.lock pins what is no commit");
        const std::vector<std::string> wanted = candidates(source_.ref);
        std::string body = command_head("ls-refs") + packet("peel");
        for (const std::string& name : wanted) body += packet("ref-prefix " + name);
        body += flush_packet;
        References known;
        const auto result = packets(
            command(body, settings_.limits), max_answer_bytes,
            [&](const Packet& packet) {
                if (packet.kind != Packet::Kind::Data) return true;
                return note_reference(text_of(packet), wanted, known);
            },
            [&] { known.clear(); });
        if (!result) return std::unexpected(result.error());
        auto chosen = choose(known, source_.ref);
        if (!chosen) return error_in(source_.url, chosen.error());
        return chosen;
    }

    /// A line of ls-refs: `ID NAME`, and `peeled:ID` of the commit that a tag names.
    bool note_reference(std::string_view line, const std::vector<std::string>& wanted, References& known) {
        if (line.starts_with("ERR ")) return fail_as(line.substr(4));
        constexpr std::size_t digits = 2 * ObjectId::size;
        auto id = parse_object_id(line.substr(0, digits));
        if (!id || line.size() <= digits + 1 || line[digits] != ' ')
            return fail("the server's list of references cannot be read");
        line.remove_prefix(digits + 1);
        const std::string name(line.substr(0, line.find(' ')));
        if (std::find(wanted.begin(), wanted.end(), name) == wanted.end()) return true;
        constexpr std::string_view peeled = " peeled:";
        if (const std::size_t at = line.find(peeled); at != std::string_view::npos)
            id = parse_object_id(line.substr(at + peeled.size(), digits));
        if (!id) return fail("the server's list of references cannot be read");
        known[name] = *id;
        return true;
    }

    /// Downloads the pack.
    Built<void> fetch(const ObjectId& commit) {
        // Packs of other commits go.
        for (const std::string& name : store::list(directory_.get())) {
            if (auto gone = store::remove_tree(directory_.get(), name); !gone)
                return own_failure(errno, gone.error());
        }
        const Fd file(::openat(directory_.get(), part_name,
                               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0640));
        if (!file) return own();
        const std::string body = command_head("fetch") + packet("ofs-delta") +
                                 packet("want " + to_text(commit)) + packet("deepen 1") + packet("done") +
                                 std::string(flush_packet);
        TransferLimits limits = settings_.limits;
        limits.stalled *= patience;
        limits.bytes = std::min(limits.bytes, source_.limits.bytes);
        std::uint64_t at = 0;
        bool in_pack = false;
        bool ended = false;
        const auto result = packets(
            command(body, limits), limits.bytes,
            [&](const Packet& packet) {
                if (packet.kind != Packet::Kind::Data) {
                    ended = ended || (in_pack && packet.kind == Packet::Kind::Flush);
                    return true;
                }
                if (!in_pack) {
                    const std::string_view line = text_of(packet);
                    if (line.starts_with("ERR ")) return fail_to_send(commit, line.substr(4));
                    in_pack = line == "packfile";
                    return true;
                }
                return take(packet.data, file.get(), at);
            },
            [&] {
                say(fmt::format("downloading commit {} of {}", to_text(commit), printable_line(source_.url)));
                progress_.begin(BuildPhase::Downloading, 0, 0, input_);
                at = 0;
                in_pack = false;
                ended = false;
                if (::ftruncate(file.get(), 0) != 0) failure_ = own().error();
            });
        if (!result) return std::unexpected(result.error());
        if (!ended) return error("the server sent only a part");
        if (::renameat(directory_.get(), part_name, directory_.get(), name_of(commit).c_str()) != 0)
            return own();
        return {};
    }

    /// A packet of the pack: a byte that says what it is, then the data.
    bool take(std::string_view data, int file, std::uint64_t& at) {
        if (data.empty()) return true;
        const char band = data.front();
        data.remove_prefix(1);
        constexpr char of_pack = 1;
        constexpr char of_progress = 2;
        if (band == of_progress) return true;
        if (band != of_pack) return fail_as(data);
        if (const auto wrote = store::write_at(file, data, at, shown); !wrote) {
            failure_ = own_failure(errno, wrote.error()).error();
            return false;
        }
        at += data.size();
        progress_.at(at);
        return true;
    }

    const GitSource& source_;
    int build_directory_;
    Progress& progress_;
    const DownloadSettings& settings_;
    std::string input_;
    std::unique_ptr<GitServer> server_;
    Abilities abilities_;
    Fd directory_;
    std::optional<BuildError> failure_;  ///< why a transfer was ended here
};

}  // namespace

Built<SourceObjects> fetch_commit(const GitSource& source, int build_directory, Progress& progress,
                                  const DownloadSettings& settings) {
    return Remote(source, build_directory, progress, settings).run();
}

Built<GitPin> look_up_commit(const GitSource& source, int build_directory, Progress& progress,
                             const DownloadSettings& settings) {
    return Remote(source, build_directory, progress, settings).look_up();
}

void discard_pack(int build_directory) { (void)store::remove_tree(build_directory, Staging::download_name); }

}  // namespace left4me::builder
