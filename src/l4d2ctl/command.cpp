#include "l4d2ctl/command.hpp"

#include <CLI/CLI.hpp>

namespace left4me::ctl {

namespace {

constexpr std::size_t any_number = 10'000;

}  // namespace

Command::Command(CLI::App& app, std::string& chosen, std::function<Result<Exit>()>& run, VerbShape& shape,
                 const std::string& example, std::function<Result<Exit>()> what)
    : verb_(app.add_subcommand(shape.name, shape.description)), shape_(&shape) {
    verb_->footer("Example:\n" + example);
    verb_->callback([&chosen, &run, name = shape.name, what = std::move(what)] {
        chosen = name;
        run = what;
    });
}

void Command::note(const std::string& names, const std::string& help, bool takes_value, Words words,
                   std::vector<std::string> choices) {
    shape_->options.push_back({names, help, takes_value, words, std::move(choices)});
}

void Command::expect(Words words, std::size_t most) {
    // Of several arguments, the first can be completed.
    if (shape_->max_arguments > 0) return;
    shape_->words = words;
    shape_->max_arguments = most;
}

void Command::argument(const std::string& name, std::string& into, const std::string& help, Words words) {
    verb_->add_option(name, into, help)->required()->type_name("");
    expect(words, 1);
}

void Command::choice(const std::string& name, std::string& into, const std::vector<std::string>& choices,
                     const std::string& help) {
    verb_->add_option(name, into, help)->required()->check(CLI::IsMember(choices))->type_name("");
    expect(Words::Choices, 1);
    shape_->choices = choices;
}

void Command::hide() {
    verb_->group("");
    shape_->hidden = true;
}

void Command::optional_argument(const std::string& name, std::string& into, const std::string& help,
                                Words words) {
    verb_->add_option(name, into, help)->type_name("");
    expect(words, 1);
}

void Command::arguments(const std::string& name, std::vector<std::string>& into, const std::string& help,
                        Words words) {
    verb_->add_option(name, into, help)->expected(0, static_cast<int>(any_number))->type_name("");
    expect(words, any_number);
}

void Command::option(const std::string& names, std::string& into, const std::string& help,
                     const std::vector<std::string>& choices) {
    CLI::Option* const option = verb_->add_option(names, into, help);
    if (!choices.empty()) option->check(CLI::IsMember(choices));
    note(names, help, true, choices.empty() ? Words::Nothing : Words::Choices, choices);
}

void Command::option(const std::string& names, std::string& into, const std::string& help, Words words) {
    verb_->add_option(names, into, help);
    note(names, help, true, words);
}

void Command::required_option(const std::string& names, std::string& into, const std::string& help) {
    verb_->add_option(names, into, help)->required();
    note(names, help, true);
}

void Command::option(const std::string& names, unsigned& into, const std::string& help) {
    verb_->add_option(names, into, help)->type_name("N");
    note(names, help, true);
}

void Command::repeated(const std::string& names, std::vector<std::string>& into, const std::string& help,
                       bool required) {
    // One value per option: `-f a b` is a mistake, not two files.
    verb_->add_option(names, into, help)->required(required)->allow_extra_args(false)->type_name("FILE");
    note(names, help, true, Words::Files);
}

void Command::flag(const std::string& names, bool& into, const std::string& help) {
    verb_->add_flag(names, into, help);
    note(names, help, false);
}

void Command::optional_value(const std::string& name, const std::string& value,
                             std::function<std::string(const std::string&)> given, const std::string& help) {
    verb_
        ->add_option_function<std::string>(
            name,
            [name, given = std::move(given)](const std::string& text) {
                if (const std::string wrong = given(text); !wrong.empty())
                    throw CLI::ValidationError(name, wrong);
            },
            help)
        ->expected(0, 1)
        ->type_name("[" + value + "]");
    note(name, help, false);  // `--wait 5m` would be a name: the value must follow "="
}

}  // namespace left4me::ctl
