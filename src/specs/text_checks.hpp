#pragma once

#include <chrono>
#include <span>
#include <string_view>
#include <vector>

#include "specs/fields.hpp"
#include "specs/violation.hpp"

namespace left4me {

/// Whether `text` is a value of the field, whatever its type of text. Reports all that is wrong with it.
Violations check_text(const Field& field, std::string_view text);

/// The maximum duration in a manifest.
inline constexpr std::chrono::seconds max_duration = std::chrono::days(30);
/// left4me's own directory: an overlay must not be made of left4me's own files.
inline constexpr std::string_view state_directory = "/var/lib/left4me";
/// No argument may contain it, in any case: all users of a host can read command lines.
inline constexpr std::string_view password_variable = "rcon_password";
/// Options of the game's command line that left4me sets itself, in lower case.
std::vector<std::string_view> owned_options();

// One function per rule; check_text() calls the right ones.
void check_name(std::string_view text, Violations& violations);
void check_label(std::string_view text, Violations& violations);
/// `inner` is `outer` or a path beneath it; both absolute and normalised.
bool lies_in(std::string_view inner, std::string_view outer);
void check_directory(std::string_view text, Violations& violations);
/// An https URL without a user, or the path of a file.
void check_archive_url(std::string_view text, Violations& violations);
/// The same for a repository, or an address of ssh.
void check_git_url(std::string_view text, Violations& violations);
/// The kind of a key and the key in base64, of a kind that every supported libssh2 can check.
void check_host_key(std::string_view text, Violations& violations);
/// The name of a branch or tag, also a whole one as refs/heads/main (git-check-ref-format(1)), or a commit
/// id.
void check_git_ref(std::string_view text, Violations& violations);
/// A path as check_file_path(), or `.`.
void check_tree_path(std::string_view text, Violations& violations);
/// An https URL without a user.
void check_https_url(std::string_view text, Violations& violations);
void check_sha256(std::string_view text, Violations& violations);
/// Digits that are a number of 64 bits, without leading zeros.
bool is_workshop_id(std::string_view text);
void check_workshop_id(std::string_view text, Violations& violations);
void check_build_id(std::string_view text, Violations& violations);
void check_host_path(std::string_view text, Violations& violations);
void check_file_path(std::string_view text, Violations& violations);
void check_secret_file(std::string_view text, Violations& violations);
void check_argument(std::string_view text, Violations& violations);
void check_config(std::string_view text, Violations& violations);
/// Commands that end a game, in lower case.
std::span<const std::string_view> ending_commands();
void check_cvar_name(std::string_view text, Violations& violations);
void check_cvar_value(std::string_view text, Violations& violations);
/// Of a schedule: commands that would end the game, and with it a match, are refused.
void check_scheduled_command(std::string_view text, Violations& violations);

}  // namespace left4me
