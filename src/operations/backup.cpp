#include "operations/backup.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <system_error>

#include "adapters/child.hpp"
#include "adapters/files.hpp"
#include "adapters/overlayfs/mounts.hpp"
#include "adapters/store/lock.hpp"
#include "specs/name.hpp"
#include "specs/text.hpp"

namespace left4me::operations {

namespace {

namespace fs = std::filesystem;

/// left4me-backup tells of each file that it leaves out.
constexpr std::size_t max_notes_bytes = std::size_t{4} << 20U;

/// Of state/: a key of this host alone, and what is only true of its files.
bool is_for_this_host_alone(const std::string& name) { return name == "key" || name.starts_with("digests"); }

std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    std::error_code error;
    for (auto entry = fs::directory_iterator(directory, error); !error && entry != fs::directory_iterator();
         entry.increment(error))
        names.push_back(entry->path().filename());
    std::sort(names.begin(), names.end());
    return names;
}

/// The servers that have written something on this host.
std::vector<std::string> servers_with_files(const Paths& paths) {
    std::vector<std::string> servers = names_in(paths.runtime());
    std::erase_if(servers, [&paths](const std::string& name) {
        return !is_valid_name(name) || !fs::is_directory(paths.runtime() / name / kept_of_servers[0]);
    });
    return servers;
}

std::string about(const Context& context, const std::vector<std::string>& running) {
    std::array<char, 256> host{};
    (void)::gethostname(host.data(), host.size() - 1);
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    std::string text = fmt::format("format 1\nhost {}\nmade {:%Y-%m-%dT%H:%M:%SZ}\n", host.data(), now);
    for (const BackupSection& section : backup_sections(context))
        text += fmt::format("place {} {}\n", section.name, section.place.string());
    for (const std::string& server : running) text += fmt::format("running {}\n", server);
    return text;
}

/// PATH=FILE, as left4me-backup takes them.
std::vector<std::string> roots(const Context& context, const BackupRequest& request,
                               const std::vector<std::string>& servers) {
    std::vector<std::string> all;
    const auto add = [&all](const std::string& path, const fs::path& from) {
        std::error_code error;
        if (fs::symlink_status(from, error).type() != fs::file_type::not_found)
            all.push_back(path + "=" + from.string());
    };
    for (const BackupSection& section : backup_sections(context)) {
        if (!request.server.empty() || (section.secret && !request.secrets)) continue;
        const std::string& name = section.name;
        if (name == "manifests.git") {
            // Branches first: what they name is there then, and stays. Settings and hooks are made anew.
            for (const char* part : {"HEAD", "packed-refs", "refs", "objects"})
                add(name + "/" + part, section.place / part);
        } else if (name == "state") {
            for (const std::string& file : names_in(section.place))
                if (!is_for_this_host_alone(file)) add(name + "/" + file, section.place / file);
        } else {
            // Links are packed as links: what is packed must be what one of these leads to.
            std::error_code error;
            const fs::path real = fs::canonical(section.place, error);
            add(name + "/" + section.place.filename().string(), error ? section.place : real);
        }
    }
    for (const std::string& server : servers)
        for (const char* part : kept_of_servers)
            add(fmt::format("{}/{}/{}", servers_section, server, part),
                context.paths.runtime() / server / part);
    return all;
}

/// A note of each link among the manifests that leads out of them: what it leads to is not in the backup. An
/// error if it is a manifest, which would be missing.
Result<std::string> notes_of_links(const fs::path& manifests) {
    std::error_code error;
    const fs::path real = fs::canonical(manifests, error);
    std::string notes;
    if (error) return notes;
    for (auto entry = fs::recursive_directory_iterator(real, error);
         !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
        std::error_code unknown;
        if (!entry->is_symlink(unknown)) continue;
        const fs::path target = fs::canonical(entry->path(), unknown);
        if (!unknown && target.string().starts_with(real.string() + "/")) continue;
        if (entry->path().extension() == ".yaml")
            return fail(ErrorKind::NotDone,
                        fmt::format("{} is a link, and what it leads to would not be in the backup; put the "
                                    "manifest itself there",
                                    printable(entry->path().string())));
        notes += fmt::format("{} is a link: what it leads to is not in the backup\n",
                             printable(entry->path().string()));
    }
    return notes;
}

Result<void> check(const BackupRequest& request) {
    const bool encrypted = request.passphrase || !request.recipients.empty();
    if (request.passphrase && !request.recipients.empty())
        return fail(ErrorKind::InvalidArgument, "a passphrase or recipients: not both");
    if (request.secrets && !encrypted)
        return fail(ErrorKind::InvalidArgument,
                    "secrets are never written in clear: say who may read them, with --recipient "
                    "(a public key, from age-keygen or of ssh) or --passphrase");
    if (request.secrets && !request.server.empty())
        return fail(ErrorKind::InvalidArgument, "secrets belong to the host, not to one server");
    // age takes a word that begins so for an option.
    if (std::any_of(request.recipients.begin(), request.recipients.end(),
                    [](const std::string& recipient) { return recipient.starts_with('-'); }))
        return fail(ErrorKind::InvalidArgument, "a recipient is a public key: age1… or ssh-ed25519 …");
    if (encrypted && ::access(age_program, X_OK) != 0)
        return fail(ErrorKind::NotFound, "age encrypts backups; sudo apt-get install age");
    return {};
}

/// The first bytes, which stay where they are: of a file, a socket (sshd gives one to a command) or a pipe.
std::size_t look_at(int file, std::span<char> begin) {
    ssize_t got = ::pread(file, begin.data(), begin.size(), 0);
    if (got < 0 && errno == ESPIPE) got = ::recv(file, begin.data(), begin.size(), MSG_PEEK | MSG_WAITALL);
    if (got < 0 && errno == ENOTSOCK) {
        const auto copy = make_pipe();
        got = copy && ::tee(file, copy->write.get(), begin.size(), 0) > 0
                  ? ::read(copy->read.get(), begin.data(), begin.size())
                  : 0;
    }
    return static_cast<std::size_t>(std::max<ssize_t>(got, 0));
}

}  // namespace

std::vector<BackupSection> backup_sections(const Context& context) {
    const Paths& paths = context.paths;
    std::vector<BackupSection> sections{
        {.name = "config", .place = paths.config / "config.yaml", .meaning = "the configuration"}};
    // What is fetched from a remote is there.
    if (!context.config.git)
        sections.push_back(
            {.name = "manifests", .place = context.config.source_directory, .meaning = "the manifests"});
    else if (context.config.git->remote.empty())
        sections.push_back({.name = "manifests.git",
                            .place = context.config.git->repository,
                            .meaning = "the repository of manifests"});
    sections.push_back({.name = "state", .place = paths.status(), .meaning = "what left4me remembers"});
    sections.push_back(
        {.name = "secrets", .place = paths.secrets(), .meaning = "the secrets", .secret = true});
    sections.push_back(
        {.name = "git", .place = paths.git_keys(), .meaning = "the keys of remotes", .secret = true});
    sections.push_back({.name = "deploy-keys",
                        .place = paths.config / "deploy-keys",
                        .meaning = "the deploy keys",
                        .secret = true});
    return sections;
}

Result<BackupMade> back_up(Context& context, const BackupRequest& request, int out) {
    if (auto checked = check(request); !checked) return std::unexpected(checked.error());
    BackupMade made{.servers = servers_with_files(context.paths), .running = {}, .notes = {}};
    if (!request.server.empty()) {
        if (!std::binary_search(made.servers.begin(), made.servers.end(), request.server))
            return fail(ErrorKind::NotFound,
                        fmt::format("server/{} has written nothing on this host", request.server));
        made.servers = {request.server};
    }
    const auto mounts = read_mounts(context.paths);
    if (!mounts) return fail(ErrorKind::HostUnavailable, mounts.error());
    for (const std::string& server : made.servers)
        if (mounts->contains(server)) made.running.push_back(server);

    // Nobody edits the manifests until they are packed.
    auto lock = PassLock::acquire_for_edit(context.paths, context.purpose, [&](const std::string& holder) {
        context.notice("waiting for " + holder + " to finish its edit");
    });
    if (!lock) return fail(ErrorKind::StateFailed, lock.error());
    std::optional<PassLock> edits(*std::move(lock));

    if (request.server.empty() && !context.config.git) {
        auto links = notes_of_links(context.config.source_directory);
        if (!links) return std::unexpected(links.error());
        made.notes = *std::move(links);
    }

    auto packed = make_pipe();
    // A file: a pipe that is full, which nobody reads before servers_next ends, would stop it.
    const auto notes = text_in_memory("");
    auto servers_next = make_pipe();
    if (!packed || !notes || !servers_next) return fail(ErrorKind::StateFailed, "pipe: no more descriptors");
    std::optional<pid_t> encrypting;
    if (request.passphrase || !request.recipients.empty()) {
        std::vector<std::string> words{age_program, "--encrypt"};
        if (request.passphrase) words.emplace_back("--passphrase");
        for (const std::string& recipient : request.recipients) {
            words.emplace_back("--recipient");
            words.push_back(recipient);
        }
        const auto started = start_child(words, {packed->read.get(), out, -1, -1});
        if (!started) return fail(ErrorKind::NotDone, started.error());
        encrypting = *started;
    }
    std::vector<std::string> words{LEFT4ME_BACKUP, "pack", about(context, made.running)};
    for (std::string& root : roots(context, request, made.servers)) words.push_back(std::move(root));
    const auto packing = start_child(
        words, {-1, encrypting ? packed->write.get() : out, notes->get(), servers_next->write.get()});
    *packed = {};
    servers_next->write.reset();
    if (packing) {
        char nothing = 0;
        while (::read(servers_next->read.get(), &nothing, 1) < 0 && errno == EINTR) {
        }
        edits.reset();
    }
    const int packed_well = packing ? wait_for_child(*packing) : 0;
    (void)::lseek(notes->get(), 0, SEEK_SET);
    if (const auto read = read_descriptor(notes->get(), "left4me-backup", max_notes_bytes))
        made.notes += *read;
    const int encrypted_well = encrypting ? wait_for_child(*encrypting) : 0;
    if (!packing) return fail(ErrorKind::NotDone, packing.error());
    if (encrypted_well != 0) return fail(ErrorKind::NotDone, "age did not encrypt it; see above");
    if (packed_well != 0) return fail(ErrorKind::NotDone, "the backup could not be made: " + made.notes);
    if (::fsync(out) != 0 && errno != EINVAL && errno != EROFS)
        return fail(ErrorKind::NotDone, errno_message("the backup", errno));
    return made;
}

bool is_encrypted(int file) {
    constexpr std::string_view binary = "age-encryption.org/";
    constexpr std::string_view text = "-----BEGIN AGE ENC";
    std::array<char, 32> begin{};
    const std::string_view seen(begin.data(), look_at(file, begin));
    return seen.starts_with(binary) || seen.starts_with(text);
}

}  // namespace left4me::operations
