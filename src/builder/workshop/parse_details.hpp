#pragma once

#include <cstddef>

namespace left4me::builder {

/// The longest answer that is read, in bytes. An item's description has at most 8000 characters.
inline constexpr std::size_t max_answer_bytes = 8U << 20U;

/// Reads an answer of ISteamRemoteStorage that `file` is open at, JSON, and sends its content as Rows to
/// `pipe`, with End or Failed as the last message. Of GetPublishedFileDetails: `item`, then id, result,
/// application, banned, size, time of the update, content handle, URL, URL of the preview, title. Of
/// GetCollectionDetails: `collection`, id, result; then for each child `child`, id, type. What is not there
/// is empty. Run it in a process that can do nothing else, Confinement::ParseOnly.
void parse_details(int file, int pipe);

}  // namespace left4me::builder
