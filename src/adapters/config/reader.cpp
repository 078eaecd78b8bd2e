#include "adapters/config/reader.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "specs/words.hpp"

namespace left4me {

namespace {

std::string suggestion(const std::string& name, const std::string& what,
                       const std::map<std::string, Reader::Field>& fields) {
    std::vector<std::string_view> names;
    for (const auto& [known, field] : fields) names.push_back(known);
    std::string text = did_you_mean(name, names);
    return text.empty() ? fmt::format("; {} has {}", what, one_of(names)) : text;
}

std::optional<std::chrono::seconds> parse_duration(const std::string& text) {
    unsigned value = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || value > 1'000'000) return std::nullopt;
    const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
    if (unit == "s") return std::chrono::seconds(value);
    if (unit == "m") return std::chrono::minutes(value);
    if (unit == "h") return std::chrono::hours(value);
    return std::nullopt;
}

std::string duration_text(std::chrono::seconds duration) {
    const auto count = duration.count();
    if (count % 3600 == 0) return fmt::format("{}h", count / 3600);
    return count % 60 == 0 ? fmt::format("{}m", count / 60) : fmt::format("{}s", count);
}

}  // namespace

void Reader::error(const YAML::Mark& mark, std::string message) {
    diagnostics_.push_back({{file_, mark.line + 1, mark.column + 1}, std::move(message)});
}

void Reader::warning(const YAML::Mark& mark, std::string message) {
    warnings_.push_back({{file_, mark.line + 1, mark.column + 1}, std::move(message)});
}

void Reader::map(const YAML::Node& node, const std::string& what,
                 const std::map<std::string, Field>& fields) {
    if (node.IsNull()) return;
    if (!node.IsMap()) return error(node.Mark(), fmt::format("{} must be a map of settings", what));
    std::set<std::string> seen;
    for (const auto& entry : node) {
        const YAML::Mark mark = entry.first.Mark();
        if (!entry.first.IsScalar()) {
            error(mark, "a setting's name must be a word");
            continue;
        }
        const std::string& name = entry.first.Scalar();
        const auto field = fields.find(name);
        if (field == fields.end()) {
            error(mark, fmt::format("unknown setting {}{}", in_quotes(name), suggestion(name, what, fields)));
        } else if (!seen.insert(name).second) {
            error(mark, fmt::format("{} is set twice", in_quotes(name)));
        } else {
            field->second(entry.second);
        }
    }
}

bool Reader::absolute_path(const YAML::Node& node, const char* what, std::filesystem::path& into) {
    if (!node.IsScalar() || !node.Scalar().starts_with('/')) {
        error(node.Mark(), fmt::format("must be the absolute path of a {}", what));
        return false;
    }
    into = std::filesystem::path(node.Scalar()).lexically_normal();
    return true;
}

void Reader::directory(const YAML::Node& node, std::filesystem::path& into) {
    if (absolute_path(node, "directory", into) && !into.has_filename()) into = into.parent_path();
}

void Reader::directories(const YAML::Node& node, std::vector<std::string>& into) {
    if (!node.IsSequence() || node.size() == 0) {
        return error(node.Mark(), "must be a list of directories, as in [/srv/left4dead2]");
    }
    into.clear();
    for (const YAML::Node& item : node) {
        std::filesystem::path path;
        const std::size_t mistakes = diagnostics_.size();
        directory(item, path);
        if (diagnostics_.size() == mistakes) into.push_back(path.string());
    }
}

void Reader::file(const YAML::Node& node, std::filesystem::path& into) {
    if (absolute_path(node, "file", into) && !into.has_filename()) {
        error(node.Mark(), "must be the absolute path of a file");
    }
}

void Reader::number(const YAML::Node& node, std::size_t low, std::size_t high, std::size_t& into) {
    std::size_t value = 0;
    const std::string text = node.IsScalar() ? node.Scalar() : std::string();
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, value);
    if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end || value < low || value > high) {
        return error(node.Mark(), fmt::format("must be a whole number from {} to {}", low, high));
    }
    into = value;
}

void Reader::duration(const YAML::Node& node, std::chrono::seconds low, std::chrono::seconds high,
                      std::chrono::seconds& into) {
    const auto value = node.IsScalar() ? parse_duration(node.Scalar()) : std::nullopt;
    if (!value || *value < low || *value > high) {
        return error(node.Mark(), fmt::format("must be a duration from {} to {}, as in 90s, 5m or 1h",
                                              duration_text(low), duration_text(high)));
    }
    into = *value;
}

}  // namespace left4me
