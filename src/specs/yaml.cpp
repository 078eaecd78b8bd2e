#include "specs/yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "specs/documents.hpp"
#include "specs/syntax_errors.hpp"
#include "specs/text.hpp"
#include "specs/tokens.hpp"

namespace left4me::yaml {

const Entry* Node::find(std::string_view key) const {
    const auto found =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.key == key; });
    return found == entries.end() ? nullptr : &*found;
}

const Node* Node::get(std::string_view key) const {
    const Entry* entry = find(key);
    return entry == nullptr ? nullptr : entry->value.get();
}

namespace {

Mark to_mark(const YAML::Mark& mark) {
    if (mark.is_null()) return {};
    return {mark.line, mark.column, static_cast<std::size_t>(mark.pos)};
}

/// Thrown to stop yaml-cpp's parser immediately; caught in parse().
struct Abort {
    Problem problem;
};

/// Builds Nodes from yaml-cpp's events.
class Builder : public YAML::EventHandler {
  public:
    Builder(std::string_view text, const Bounds& bounds) : text_(text), bounds_(bounds) {}

    NodePtr root;
    std::vector<Problem> problems;

    void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add(std::make_shared<Node>(Node{.mark = to_mark(mark)}), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto known = anchors_.find(anchor);
        if (known == anchors_.end()) {
            throw Abort{
                {Rule::AliasUnknown, to_mark(mark), "this alias is inside the value that it refers to"}};
        }
        auto copy = std::make_shared<Node>(*known->second);
        copy->mark = to_mark(mark);
        add(std::move(copy), 0);
    }

    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override {
        check_tag(mark, tag);
        check_quotes(to_mark(mark));
        add(std::make_shared<Node>(
                Node{.kind = Node::Kind::Scalar, .mark = to_mark(mark), .plain = tag != "!", .text = value}),
            anchor);
    }

    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override {
        open(Node::Kind::Sequence, mark, tag, anchor, style);
    }
    void OnSequenceEnd() override { close(); }

    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override {
        open(Node::Kind::Map, mark, tag, anchor, style);
    }
    void OnMapEnd() override { close(); }

  private:
    struct Frame {
        std::shared_ptr<Node> node;
        YAML::anchor_t anchor = 0;
        NodePtr key;                       ///< of a map: set while its value is awaited
        std::map<std::string, int> lines;  ///< of a map: the line of each key so far
    };

    void check_tag(const YAML::Mark& mark, const std::string& tag) {
        if (tag.empty() || tag == "?" || tag == "!") return;
        constexpr std::string_view standard = "tag:yaml.org,2002:";
        const std::string shown = tag.starts_with(standard) ? "!!" + tag.substr(standard.size()) : tag;
        problems.push_back({Rule::Tag, to_mark(mark),
                            fmt::format("the tag '{}' is not used in manifests; remove it", shown)});
    }

    /// yaml-cpp lets a document end within quotes.
    void check_quotes(const Mark& mark) {
        const std::size_t begin = behind_properties(text_, mark.offset);
        if (begin >= text_.size() || (text_[begin] != '"' && text_[begin] != '\'')) return;
        if (behind_quotes(text_, begin) != std::string_view::npos) return;
        throw Abort{{Rule::Syntax, mark, "the quote that opens here is never closed"}};
    }

    void open(Node::Kind kind, const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
              YAML::EmitterStyle::value style) {
        check_tag(mark, tag);
        if (stack_.size() >= bounds_.depth) {
            throw Abort{{Rule::TooDeep, to_mark(mark),
                         fmt::format("this is nested more than {} levels deep; no manifest needs that",
                                     bounds_.depth)}};
        }
        stack_.push_back(
            {std::make_shared<Node>(
                 Node{.kind = kind, .mark = to_mark(mark), .flow = style == YAML::EmitterStyle::Flow}),
             anchor,
             nullptr,
             {}});
    }

    void close() {
        Frame frame = std::move(stack_.back());
        stack_.pop_back();
        add(std::move(frame.node), frame.anchor);
    }

    void add(std::shared_ptr<const Node> node, YAML::anchor_t anchor) {
        if (anchor != 0) anchors_[anchor] = node;
        if (stack_.empty()) {
            root = std::move(node);
            return;
        }
        Frame& parent = stack_.back();
        parent.node->weight += node->weight;
        if (parent.node->weight > bounds_.values) {
            throw Abort{
                {Rule::TooManyValues, node->mark,
                 fmt::format("the document contains more than {} values, aliases counted as often as they "
                             "are used; split it, or write fewer aliases",
                             bounds_.values)}};
        }
        if (parent.node->kind == Node::Kind::Sequence) {
            parent.node->items.push_back(std::move(node));
        } else if (parent.key == nullptr) {
            parent.key = std::move(node);
        } else {
            add_entry(parent, *parent.key, std::move(node));
            parent.key = nullptr;
        }
    }

    void add_entry(Frame& map, const Node& key, NodePtr value) {
        if (key.kind != Node::Kind::Scalar) {
            problems.push_back(
                {Rule::KeyNotText, key.mark, "a field's name must be text, as in `port: 27015`"});
            return;
        }
        const auto [first, inserted] = map.lines.emplace(key.text, key.mark.line + bounds_.first_line);
        if (!inserted) {
            problems.push_back({Rule::DuplicateKey, key.mark,
                                fmt::format("{} is given twice (first at line {}); keep one of them",
                                            in_quotes(key.text), first->second)});
            return;
        }
        map.node->entries.push_back({key.text, key.mark, std::move(value)});
    }

    std::string_view text_;
    Bounds bounds_;
    std::vector<Frame> stack_;
    std::map<YAML::anchor_t, NodePtr> anchors_;
};

/// yaml-cpp stops at the end of a document; `...` in the text may have begun another one.
void check_rest(YAML::Parser& parser, std::string_view text, Document& document, const Bounds& bounds) {
    Builder rest(text, bounds);
    if (!parser.HandleNextDocument(rest) || rest.root == nullptr || rest.root->kind == Node::Kind::Null)
        return;
    document.problems.push_back(
        {Rule::SecondDocument, rest.root->mark, "another document begins here; put a `---` line before it"});
}

bool begins_with_directive(std::string_view text, Mark& mark) {
    for (std::size_t at = 0; at < text.size(); ++mark.line) {
        if (text[at] == '%') {
            mark.offset = at;
            return true;
        }
        const std::size_t content = text.find_first_not_of(" \t\r\n", at);
        if (content == std::string_view::npos) return false;
        const std::size_t newline = text.find('\n', at);
        if (newline == std::string_view::npos) return false;
        if (content < newline && text[content] != '#') return false;
        at = newline + 1;
    }
    return false;
}

}  // namespace

Document parse(std::string_view text, const Bounds& bounds) {
    Document document;
    if (Mark mark; begins_with_directive(text, mark)) {
        document.problems.push_back(
            {Rule::Directive, mark,
             "YAML directives (lines that begin with '%') are not used in manifests; remove it"});
        return document;
    }
    Builder builder(text, bounds);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        parser.HandleNextDocument(builder);
        document.problems = std::move(builder.problems);
        document.root = builder.root != nullptr ? builder.root : std::make_shared<Node>();
        check_rest(parser, text, document, bounds);
    } catch (const Abort& abort) {
        document.problems.push_back(abort.problem);
        document.root = nullptr;
    } catch (const YAML::Exception& error) {
        document.problems = std::move(builder.problems);
        document.problems.push_back(syntax_problem(text, to_mark(error.mark), error.msg));
        document.root = nullptr;
    }
    return document;
}

}  // namespace left4me::yaml
