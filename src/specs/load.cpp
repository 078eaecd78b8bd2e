#include "specs/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "specs/cross_checks.hpp"
#include "specs/documents.hpp"
#include "specs/lock.hpp"
#include "specs/overlay_roots.hpp"
#include "specs/read.hpp"
#include "specs/reporter.hpp"
#include "specs/text.hpp"
#include "specs/validate.hpp"
#include "specs/writable.hpp"
#include "specs/yaml.hpp"

namespace left4me {
namespace {

Location location_of(const SourceFile& file, std::size_t offset) {
    const std::string_view before = std::string_view(file.text).substr(0, offset);
    const std::size_t newline = before.rfind('\n');
    const std::size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
    return {file.name, static_cast<int>(std::count(before.begin(), before.end(), '\n')) + 1,
            static_cast<int>(offset - line_begin) + 1};
}

/// Windows line ends are allowed; other control characters are not.
std::size_t find_control(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t found = find_control_character(text.substr(at));
        if (found == std::string_view::npos) return found;
        at += found;
        if (text.substr(at, 2) != "\r\n") return at;
        ++at;
    }
    return std::string_view::npos;
}

/// Rules that version 0.1 did not have, or applied less widely.
bool is_of_a_later_version(Rule rule) { return rule == Rule::SecretNotListed || rule == Rule::ArgumentOwned; }

/// One revision on its way from texts to a set.
class Loading {
  public:
    explicit Loading(const Limits& limits) : limits_(limits) {}

    void read(const SourceFile& file) {
        if (is_lock_file(file.name)) {
            if (check_text_of(file)) read_lock_file(file);
            return;
        }
        if (!check_text_of(file)) {
            unread_.push_back(file.text);
            return;
        }
        const std::vector<DocumentSpan> spans = split_documents(file.text);
        for (std::size_t i = 0; i < spans.size(); ++i) {
            const std::string_view text =
                std::string_view(file.text).substr(spans[i].begin, spans[i].end - spans[i].begin);
            if (!is_blank(text)) read_document(file, i, spans[i].line, text);
        }
    }

    std::expected<ManifestSet, Diagnostics> finish() {
        for (const ObjectSummary& object : objects_) {
            if (object.kind == nullptr && !object.name.empty()) unread_.push_back(object.name);
        }
        cross_check(objects_, unread_, diagnostics_);
        check_executed_configs();
        check_warnings();
        if (diagnostics_.empty()) return std::move(set_);
        std::sort(diagnostics_.begin(), diagnostics_.end());
        diagnostics_.erase(std::unique(diagnostics_.begin(), diagnostics_.end()), diagnostics_.end());
        return std::unexpected(std::move(diagnostics_));
    }

  private:
    bool check_text_of(const SourceFile& file) {
        const auto fail = [&](Location at, Rule rule, std::string message) {
            diagnostics_.push_back({std::move(at), std::move(message), rule});
            return false;
        };
        if (file.text.size() > limits_.file_bytes) {
            return fail({file.name, 0, 0}, Rule::FileTooLarge,
                        fmt::format("the file has {} bytes; at most {} are allowed; split it",
                                    file.text.size(), limits_.file_bytes));
        }
        if (const std::size_t at = find_invalid_utf8(file.text); at != std::string::npos) {
            return fail(location_of(file, at), Rule::NotUtf8,
                        fmt::format("the byte 0x{:02x} is not UTF-8; save the file with the encoding UTF-8",
                                    static_cast<unsigned char>(file.text[at])));
        }
        if (const std::size_t at = find_control(file.text); at != std::string::npos) {
            return fail(location_of(file, at), Rule::ControlCharacter,
                        fmt::format("the control character 0x{:02x} is not allowed in a manifest; remove it",
                                    static_cast<unsigned char>(file.text[at])));
        }
        return true;
    }

    void read_lock_file(const SourceFile& file) {
        bool found = false;
        for (const DocumentSpan& span : split_documents(file.text)) {
            const std::string_view text =
                std::string_view(file.text).substr(span.begin, span.end - span.begin);
            if (is_blank(text)) continue;
            Reporter reporter(file.name, span.line, text, diagnostics_);
            if (std::exchange(found, true)) {
                reporter.add(Rule::SecondDocument, {}, "a lock file is one document; remove this one");
                return;
            }
            const yaml::Document document = yaml::parse(
                text, {.depth = limits_.depth, .values = max_lock_values, .first_line = span.line});
            for (const yaml::Problem& problem : document.problems)
                reporter.add(problem.rule, problem.mark, problem.message);
            if (document.root != nullptr && document.problems.empty())
                set_.lock = read_lock(*document.root, reporter);
        }
    }

    void read_document(const SourceFile& file, std::size_t index, int first_line, std::string_view text) {
        if (++documents_ > limits_.documents) {
            if (documents_ > limits_.documents + 1) return;
            diagnostics_.push_back(
                {{file.name, first_line, 1},
                 fmt::format("the revision has more than {} documents; this is one too many",
                             limits_.documents),
                 Rule::TooManyDocuments});
            return;
        }
        Reporter reporter(file.name, first_line, text, diagnostics_);
        const yaml::Document document = yaml::parse(text, {.depth = limits_.depth, .first_line = first_line});
        const std::size_t before = diagnostics_.size();
        for (const yaml::Problem& problem : document.problems)
            reporter.add(problem.rule, problem.mark, problem.message);
        if (document.root == nullptr) {
            unread_.push_back(text);
            return;
        }
        ObjectSummary summary = validate(*document.root, reporter);
        check_reserved_secrets(*document.root, limits_.reserved_secrets, reporter);
        if (limits_.followed_before) {
            diagnostics_.erase(
                std::remove_if(diagnostics_.begin() + static_cast<std::ptrdiff_t>(before), diagnostics_.end(),
                               [](const Diagnostic& one) { return is_of_a_later_version(one.rule); }),
                diagnostics_.end());
        }
        if (diagnostics_.size() == before) check_root(*document.root, limits_.overlay_roots, reporter);
        if (diagnostics_.size() == before) {
            read_object(*document.root, *summary.kind, {reporter.at(document.root->mark), index}, limits_,
                        set_);
        }
        objects_.push_back(std::move(summary));
    }

    /// Of an inline overlay it is known here already that it has no config to be run.
    void check_executed_configs() {
        for (const ObjectSummary& object : objects_) {
            for (const Reference& reference : object.references) {
                if (!reference.listed_elsewhere) continue;
                const auto overlay = set_.overlays.find(reference.name);
                if (overlay == set_.overlays.end()) continue;
                const auto* source = std::get_if<InlineSource>(&overlay->second.source);
                if (source == nullptr || source->files.contains(server_config)) continue;
                diagnostics_.push_back({reference.where,
                                        fmt::format("{}: the Overlay '{}' has no file {}; add the file, or "
                                                    "remove the name",
                                                    reference.path, reference.name, server_config),
                                        Rule::ExecutedWithoutConfig});
            }
        }
    }

    /// Without a console, nobody can be warned.
    void check_warnings() {
        if (limits_.followed_before) return;
        for (const ObjectSummary& object : objects_) {
            if (!object.warns_at || object.kind == nullptr || object.kind->kind != Kind::Server) continue;
            const auto server = set_.servers.find(object.name);
            if (server == set_.servers.end()) continue;
            const auto blueprint = set_.blueprints.find(server->second.blueprint);
            if (blueprint == set_.blueprints.end() || blueprint->second.rcon_secret) continue;
            diagnostics_.push_back(
                {*object.warns_at,
                 fmt::format("spec.rollout.warn: left4me cannot use the game's console; add `rcon: {{secret: "
                             "rcon}}` to the Blueprint '{}', or remove the warn",
                             server->second.blueprint),
                 Rule::WarningWithoutConsole});
        }
    }

    const Limits& limits_;
    std::size_t documents_ = 0;
    ManifestSet set_;
    std::vector<ObjectSummary> objects_;
    std::vector<std::string_view> unread_;
    Diagnostics diagnostics_;
};

}  // namespace

std::expected<ManifestSet, Diagnostics> load(std::span<const SourceFile> files, const Limits& limits) {
    Loading loading(limits);
    for (const SourceFile& file : files) loading.read(file);
    return loading.finish();
}

}  // namespace left4me
