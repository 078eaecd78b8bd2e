#include "builder/workshop/steam_api.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "builder/confined_reader.hpp"
#include "builder/workshop/parse_details.hpp"
#include "specs/text.hpp"
#include "specs/text_checks.hpp"

namespace left4me::builder {

namespace {

constexpr const char* answer_name = "answer";
/// In one request: clients that ask for 100 are common.
constexpr std::size_t batch = 50;
constexpr std::string_view game = "550";
/// EWorkshopFileType k_EWorkshopFileTypeCollection.
constexpr std::string_view collection_type = "2";
constexpr std::size_t max_collections = 200;

using Fields = std::vector<std::string_view>;

std::optional<std::uint64_t> number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), value);
    if (error != std::errc() || end != text.end()) return std::nullopt;
    return value;
}

std::unexpected<BuildError> refusal(std::string_view what, std::string_view id, const std::string& why) {
    return source_failure(printable_line(fmt::format("{} {}: {}", what, id, why)));
}

class Steam {
  public:
    Steam(const WorkshopSource& source, int build_directory, const Downloads& downloads)
        : source_(source), build_directory_(build_directory), downloads_(downloads) {}

    Built<std::vector<WorkshopItem>> run() {
        for (const std::string& id : source_.items) {
            if (!is_excluded(id)) wanted_.insert(id);
        }
        if (auto collected = collect(); !collected) return std::unexpected(collected.error());
        if (wanted_.empty()) return source_failure("it has no item that is not excluded");
        const std::vector<std::string> ids(wanted_.begin(), wanted_.end());
        for (std::size_t at = 0; at < ids.size(); at += batch) {
            const std::vector<std::string> part(
                ids.begin() + static_cast<std::ptrdiff_t>(at),
                ids.begin() + static_cast<std::ptrdiff_t>(std::min(at + batch, ids.size())));
            auto asked = ask("GetPublishedFileDetails", "itemcount", part,
                             [this](const Fields& fields) { return item(fields); });
            if (!asked) return std::unexpected(asked.error());
        }
        std::vector<WorkshopItem> items;
        for (const std::string& id : ids) {
            const auto found = items_.find(id);
            if (found == items_.end())
                return refusal("item", id, "Steam does not mention it in its answer; try later");
            items.push_back(std::move(found->second));
        }
        return items;
    }

  private:
    bool is_excluded(std::string_view id) const {
        return std::find(source_.exclude.begin(), source_.exclude.end(), id) != source_.exclude.end();
    }

    /// The items of all collections, however they contain each other.
    Built<void> collect() {
        std::vector<std::string> next;
        std::set<std::string> asked;
        for (const std::string& id : source_.collections) {
            if (!is_excluded(id) && asked.insert(id).second) next.push_back(id);
        }
        while (!next.empty()) {
            const std::vector<std::string> part(
                next.end() - static_cast<std::ptrdiff_t>(std::min(batch, next.size())), next.end());
            next.resize(next.size() - part.size());
            nested_.clear();
            answered_.clear();
            auto done = ask("GetCollectionDetails", "collectioncount", part,
                            [this](const Fields& fields) { return member(fields); });
            if (!done) return done;
            for (const std::string& id : part) {
                if (!answered_.contains(id))
                    return refusal("collection", id, "Steam does not mention it in its answer; try later");
            }
            for (const std::string& id : nested_) {
                if (asked.insert(id).second) next.push_back(id);
            }
            if (asked.size() > max_collections)
                return source_failure(
                    fmt::format("its collections contain more than {} others", max_collections));
        }
        return {};
    }

    /// One POST. `row`: for each row of the answer.
    template <typename Row>
    Built<void> ask(const char* method, const char* count, const std::vector<std::string>& ids,
                    const Row& row) {
        std::string form = fmt::format("{}={}", count, ids.size());
        for (std::size_t i = 0; i < ids.size(); ++i)
            form += fmt::format("&publishedfileids%5B{}%5D={}", i, ids[i]);
        const std::string url =
            fmt::format("{}/ISteamRemoteStorage/{}/v1/", downloads_.settings.steam_api, method);
        auto file = PartialFile::open(build_directory_, answer_name, answer_name);
        if (!file) return std::unexpected(file.error());
        if (auto discarded = file->discard(); !discarded) return discarded;
        TransferLimits limits = downloads_.settings.limits;
        limits.bytes = max_answer_bytes;
        limits.remedy = "no answer of Steam has that many";
        const auto error = file->download(url, limits, downloads_, form);
        if (!error) return std::unexpected(error.error());
        if (!error->empty()) return source_failure(printable_line(*error));
        const auto answer = file->read_only();
        if (!answer) return std::unexpected(answer.error());
        auto reader = ConfinedReader::start(answer->get(), parse_details);
        if (!reader) return std::unexpected(reader.error());
        Message message;
        while (true) {
            if (auto got = reader->next(message); !got) return got;
            if (message.kind == Message::Kind::End) return {};
            if (message.kind != Message::Kind::Row)
                return source_failure(printable_line(fmt::format("{}: {}", url, message.text)));
            if (auto read = row(fields_of(message)); !read) return read;
        }
    }

    /// A row of GetCollectionDetails.
    Built<void> member(const Fields& fields) {
        if (fields.size() == 3 && fields[0] == "collection") {
            const std::string_view id = fields[1];
            answered_.insert(std::string(id));
            if (fields[2] == "1") return {};
            return refusal(
                "collection", id,
                fmt::format("Steam says {}; is it a public collection? Correct the number, or exclude it",
                            steam_result(std::string(fields[2]))));
        }
        if (fields.size() != 3 || fields[0] != "child" || !is_workshop_id(fields[1]))
            return source_failure("Steam's answer about collections makes no sense; try later");
        if (is_excluded(fields[1])) return {};
        if (fields[2] == collection_type) {
            nested_.insert(std::string(fields[1]));
        } else {
            wanted_.insert(std::string(fields[1]));
        }
        if (wanted_.size() > max_items)
            return source_failure(fmt::format("it has more than {} items; exclude some", max_items));
        return {};
    }

    /// A row of GetPublishedFileDetails.
    Built<void> item(const Fields& fields) {
        constexpr std::size_t columns = 11;
        if (fields.size() != columns || fields[0] != "item")
            return source_failure("Steam's answer about items makes no sense; try later");
        const std::string_view id = fields[1];
        if (!wanted_.contains(std::string(id))) return {};
        const auto refuse = [&](const std::string& why) {
            return refusal("item", id, why + "; remove or exclude it");
        };
        if (fields[2] != "1") return refuse("Steam says " + steam_result(std::string(fields[2])));
        const std::string title(fields[10]);
        if (fields[3] != game)
            return refuse(fmt::format("{} is for application {}, not for Left 4 Dead 2", in_quotes(title),
                                      in_quotes(fields[3])));
        if (fields[4] == "1") return refuse(in_quotes(title) + " was banned from the workshop");
        std::string url(fields[8]);
        constexpr std::string_view http = "http://";
        if (url.starts_with(http)) url = "https://" + url.substr(http.size());
        if (url.empty() || fields[8] == fields[9])
            return refuse(in_quotes(title) + " cannot be downloaded without a Steam account");
        Violations violations;
        check_https_url(url, violations);
        const auto size = number(fields[5]);
        if (!violations.empty() || url.find_first_of("\r\n\t") != std::string::npos || !size || *size == 0 ||
            !number(fields[6]) || (!fields[7].empty() && !number(fields[7])))
            return refuse(in_quotes(title) + " is described by Steam in a way that makes no sense");
        items_[std::string(id)] = {std::string(id),        *size, std::string(fields[6]),
                                   std::string(fields[7]), url,   title};
        return check_limits(*size);
    }

    Built<void> check_limits(std::uint64_t size) {
        if (items_.size() <= source_.limits.entries &&
            size <= source_.limits.bytes - std::min(bytes_, source_.limits.bytes)) {
            bytes_ += size;
            return {};
        }
        return source_failure(fmt::format(
            "its items are more than {} files or {} bytes; exclude some, or raise limits.overlayEntries or "
            "limits.overlayBytes in /etc/left4me/config.yaml",
            source_.limits.entries, source_.limits.bytes));
    }

    const WorkshopSource& source_;
    int build_directory_;
    const Downloads& downloads_;
    std::set<std::string> wanted_;
    std::set<std::string> nested_;    ///< collections in the collections that were asked for
    std::set<std::string> answered_;  ///< collections
    std::map<std::string, WorkshopItem> items_;
    std::uint64_t bytes_ = 0;
};

}  // namespace

Built<std::vector<WorkshopItem>> ask_steam(const WorkshopSource& source, int build_directory,
                                           const Downloads& downloads) {
    return Steam(source, build_directory, downloads).run();
}

}  // namespace left4me::builder
