#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "builder/partial_file.hpp"
#include "builder/result.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// An item of the workshop, as Steam describes it now.
struct WorkshopItem {
    std::string id;          ///< digits
    std::uint64_t size = 0;  ///< of its file, in bytes
    std::string updated;     ///< seconds since 1970
    std::string content;     ///< the handle of its content; may be empty
    std::string url;         ///< https://…
    std::string title;       ///< for people

    bool operator==(const WorkshopItem&) const = default;
};

inline constexpr std::size_t max_items = 5000;

/// The source's items and those of its collections, also of nested ones, without the excluded ones; sorted by
/// id. Asks Steam's web API, which needs no key: ISteamRemoteStorage/GetCollectionDetails and
/// GetPublishedFileDetails, version 1. An error names the item or collection and what Steam says of it.
Built<std::vector<WorkshopItem>> ask_steam(const WorkshopSource& source, int build_directory,
                                           const Downloads& downloads);

/// "FileNotFound (9)": a result of Steam, EResult in steamclientpublic.h.
std::string steam_result(const std::string& number);

}  // namespace left4me::builder
