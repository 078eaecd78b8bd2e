#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "operations/context.hpp"

namespace left4me::operations {

/// What a backup contains, in this order. The name of each is a section of the archive (backup/entry.hpp).
struct BackupSection {
    std::string name;
    std::filesystem::path place;  ///< on this host
    std::string meaning;          ///< "the manifests"
    bool secret = false;
};
/// All but what servers wrote.
std::vector<BackupSection> backup_sections(const Context& context);
inline constexpr const char* servers_section = "servers";
/// What is kept of runtime/NAME: what the game wrote, and what was set aside of that.
inline constexpr const char* kept_of_servers[] = {"upper", "removed"};

struct BackupRequest {
    std::string server;                   ///< only what this one wrote; empty: everything
    bool secrets = false;                 ///< needs recipients or a passphrase
    std::vector<std::string> recipients;  ///< public keys of age, or of ssh
    bool passphrase = false;              ///< age asks for it on the terminal
};

struct BackupMade {
    std::vector<std::string> servers;
    std::vector<std::string> running;  ///< of them: what they wrote meanwhile may be half in it
    std::string notes;                 ///< lines of left4me-backup: what was left out
};

/// Writes a backup to `out`. Root alone can read all that belongs to it.
Result<BackupMade> back_up(Context& context, const BackupRequest& request, int out);

/// Encrypts and decrypts backups.
inline constexpr const char* age_program = "/usr/bin/age";
/// Whether what comes from `file` is encrypted with age. Reads nothing of it.
bool is_encrypted(int file);

}  // namespace left4me::operations
