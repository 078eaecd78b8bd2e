#include "adapters/config/config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <functional>
#include <map>
#include <set>
#include <vector>

#include "specs/words.hpp"

namespace left4me {

namespace {

class Reader {
  public:
    explicit Reader(std::string file) : file_(std::move(file)) {}

    void error(const YAML::Mark& mark, std::string message) {
        diagnostics_.push_back({{file_, mark.line + 1, mark.column + 1}, std::move(message)});
    }

    using Field = std::function<void(const YAML::Node&)>;

    void map(const YAML::Node& node, const std::string& what, const std::map<std::string, Field>& fields) {
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
                error(mark,
                      fmt::format("unknown setting {}{}", in_quotes(name), suggestion(name, what, fields)));
            } else if (!seen.insert(name).second) {
                error(mark, fmt::format("{} is set twice", in_quotes(name)));
            } else {
                field->second(entry.second);
            }
        }
    }

    void directory(const YAML::Node& node, std::filesystem::path& into) {
        if (!node.IsScalar() || !node.Scalar().starts_with('/')) {
            return error(node.Mark(), "must be the absolute path of a directory");
        }
        into = std::filesystem::path(node.Scalar()).lexically_normal();
        if (!into.has_filename()) into = into.parent_path();
    }

    void number(const YAML::Node& node, std::size_t low, std::size_t high, std::size_t& into) {
        std::size_t value = 0;
        const std::string text = node.IsScalar() ? node.Scalar() : std::string();
        const char* const end = text.data() + text.size();
        const auto parsed = std::from_chars(text.data(), end, value);
        if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end || value < low || value > high) {
            return error(node.Mark(), fmt::format("must be a whole number from {} to {}", low, high));
        }
        into = value;
    }

    Diagnostics take() { return std::move(diagnostics_); }

  private:
    static std::string suggestion(const std::string& name, const std::string& what,
                                  const std::map<std::string, Field>& fields) {
        std::vector<std::string_view> names;
        for (const auto& [known, field] : fields) names.push_back(known);
        std::string text = did_you_mean(name, names);
        return text.empty() ? fmt::format("; {} has {}", what, one_of(names)) : text;
    }

    std::string file_;
    Diagnostics diagnostics_;
};

void read(Reader& reader, const YAML::Node& root, Config& config) {
    reader.map(
        root, "the configuration",
        {{"source",
          [&](const YAML::Node& node) {
              reader.map(node, "source", {{"directory", [&](const YAML::Node& value) {
                                               reader.directory(value, config.source_directory);
                                           }}});
          }},
         {"limits", [&](const YAML::Node& node) {
              Limits& limits = config.limits;
              reader.map(
                  node, "limits",
                  {{"fileBytes",
                    [&](const YAML::Node& value) {
                        reader.number(value, 1024, std::size_t{64} << 20U, limits.file_bytes);
                    }},
                   {"documents",
                    [&](const YAML::Node& value) { reader.number(value, 1, 1'000'000, limits.documents); }},
                   {"depth", [&](const YAML::Node& value) { reader.number(value, 8, 1000, limits.depth); }}});
          }}});
}

}  // namespace

std::expected<Config, Diagnostics> parse_config(const std::string& name, const std::string& text) {
    Reader reader(name);
    Config config;
    try {
        const std::vector<YAML::Node> documents = YAML::LoadAll(text);
        if (documents.size() > 1) reader.error(documents[1].Mark(), "a configuration is one document");
        if (!documents.empty()) read(reader, documents.front(), config);
    } catch (const YAML::Exception& exception) {
        reader.error(exception.mark, exception.msg);
    }
    Diagnostics diagnostics = reader.take();
    if (!diagnostics.empty()) return std::unexpected(std::move(diagnostics));
    return config;
}

}  // namespace left4me
