#include "builder/git/git.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <vector>

#include "builder/confined_reader.hpp"
#include "builder/confinement.hpp"
#include "builder/git/fetch.hpp"
#include "builder/git/read_commit.hpp"
#include "builder/git/repository.hpp"
#include "builder/messages.hpp"
#include "builder/read_entries.hpp"
#include "builder/tree_writer.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

/// How often the bytes of all packs may be unpacked: each object is unpacked to learn its name, again when it
/// is used, and for others that are deltas to it.
constexpr std::uint64_t work_ratio = 1000;
constexpr std::uint64_t least_work = 1U << 30U;

/// In the confined process, where the files are 0, 1, … in the order of files_of().
void read_objects(const SourceObjects& source, const GitSource& wanted, int pipe) {
    Objects objects(least_work + work_ratio * source.bytes());
    int next = 0;
    for (const SourceObjects::PackFiles& files : source.packs) {
        const int pack = next++;
        if (files.index.file) {
            objects.add_pack(pack, files.pack.bytes, next++, files.index.bytes);
            continue;
        }
        // Every object of it is one of the tree.
        const std::uint64_t most = 2 * wanted.limits.entries + 1;
        if (const auto scanned = objects.add_pack(pack, files.pack.bytes).scan(most); !scanned) {
            (void)send_message(pipe, {.kind = Message::Kind::Failed,
                                      .text = "what the server sent: " + to_text(scanned.error()),
                                      .more = {}});
            return;
        }
    }
    if (source.loose.file) objects.add_loose(next, source.loose.bytes, source.loose_objects);
    read_commit(objects, source.commit, wanted.path, pipe);
}

std::vector<int> files_of(const SourceObjects& source) {
    std::vector<int> files;
    for (const SourceObjects::PackFiles& pack : source.packs) {
        files.push_back(pack.pack.file.get());
        if (pack.index.file) files.push_back(pack.index.file.get());
    }
    if (source.loose.file) files.push_back(source.loose.file.get());
    return files;
}

/// Refers to both.
ConfinedReading reading_of(const SourceObjects& objects, const GitSource& source) {
    prepare_hashing();
    return {.files = files_of(objects),
            .read = [&objects, &source](int pipe) { read_objects(objects, source, pipe); },
            .what = "the repository",
            .less_memory = "use an archive"};
}

/// The commit that a reference of a repository of this host leads to, perhaps through tags.
Built<GitPin> look_up_local(const GitSource& source, int build_directory) {
    const auto objects = open_repository(source, build_directory);
    if (!objects) return std::unexpected(objects.error());
    const ConfinedReading reading = reading_of(*objects, source);
    auto reader = ConfinedReader::start(reading);
    if (!reader) return std::unexpected(reader.error());
    Message message;
    if (auto got = reader->next(message); !got) return std::unexpected(got.error());
    if (message.kind == Message::Kind::Revision) return GitPin{printable_line(message.text)};
    return source_failure(fmt::format("{}: {}", source.url, printable_line(message.text)));
}

}  // namespace

Built<GitPin> look_up_git(const GitSource& source, int build_directory, Progress& progress,
                          const DownloadSettings& settings) {
    if (source.root.empty()) return look_up_commit(source, build_directory, progress, settings);
    if (auto confined = confine_build(Confinement::NoNetwork); !confined)
        return std::unexpected(confined.error());
    return look_up_local(source, build_directory);
}

Built<Staged> stage_git(const GitSource& source, int build_directory, Staging& staging, Progress& progress,
                        const DownloadSettings& settings) {
    const std::string input = fingerprint(source);
    const bool local = !source.root.empty();
    if (local) {
        if (auto confined = confine_build(Confinement::NoNetwork); !confined)
            return std::unexpected(confined.error());
    }
    const auto objects = local ? open_repository(source, build_directory)
                               : fetch_commit(source, build_directory, progress, settings);
    if (!objects) return std::unexpected(objects.error());
    if (!local) {
        if (auto confined = confine_build(Confinement::NoNetwork); !confined)
            return std::unexpected(confined.error());
    }
    if (auto restarted = staging.restart(); !restarted) return std::unexpected(restarted.error());
    progress.begin(BuildPhase::Unpacking, local ? 0 : objects->bytes(), 0, input);
    TreeWriter writer(staging.tree(), {source.into, 0, source.exclude}, source.limits);
    const ConfinedReading reading = reading_of(*objects, source);
    const auto revision = read_entries(reading, objects->bytes(), writer, progress);
    if (!revision) {
        // Another download may be whole.
        if (revision.error().damaged) discard_pack(build_directory);
        if (source.pin && local && revision.error().kind == BuildFailureKind::SourceUnavailable)
            return not_as_pinned(fmt::format("{}: {}; left4me.lock pins commit {}", source.url,
                                             revision.error().message, source.pin->commit));
        return error_in(source.url, revision.error());
    }
    const auto digest = writer.finish("no file is left of it; see path and exclude");
    if (!digest) return error_in(source.url, digest.error());
    (void)std::fprintf(stderr, "commit %s\n", revision->c_str());
    return Staged{*digest, input, *revision, GitPin{*revision}};
}

}  // namespace left4me::builder
