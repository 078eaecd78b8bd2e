#include "l4d2ctl/command.hpp"

#include <CLI/CLI.hpp>

namespace left4me::ctl {

Command::Command(CLI::App& app, std::string& chosen, std::function<Result<Exit>()>& run,
                 const std::string& name, const std::string& description, const std::string& example,
                 std::function<Result<Exit>()> what)
    : verb_(app.add_subcommand(name, description)) {
    verb_->footer("Example:\n" + example);
    verb_->callback([&chosen, &run, name, what = std::move(what)] {
        chosen = name;
        run = what;
    });
}

void Command::argument(const std::string& name, std::string& into, const std::string& help) {
    verb_->add_option(name, into, help)->required()->type_name("");
}

void Command::choice(const std::string& name, std::string& into, const std::vector<std::string>& choices,
                     const std::string& help) {
    verb_->add_option(name, into, help)->required()->check(CLI::IsMember(choices))->type_name("");
}

void Command::hide() { verb_->group(""); }

void Command::optional_argument(const std::string& name, std::string& into, const std::string& help) {
    verb_->add_option(name, into, help)->type_name("");
}

void Command::arguments(const std::string& name, std::vector<std::string>& into, const std::string& help) {
    verb_->add_option(name, into, help)->required()->expected(1, 2)->type_name("");
}

void Command::option(const std::string& names, std::string& into, const std::string& help,
                     const std::vector<std::string>& choices) {
    CLI::Option* const option = verb_->add_option(names, into, help);
    if (!choices.empty()) option->check(CLI::IsMember(choices));
}

void Command::required_option(const std::string& names, std::string& into, const std::string& help) {
    verb_->add_option(names, into, help)->required();
}

void Command::option(const std::string& names, unsigned& into, const std::string& help) {
    verb_->add_option(names, into, help)->type_name("N");
}

void Command::repeated(const std::string& names, std::vector<std::string>& into, const std::string& help,
                       bool required) {
    // One value each time: `-f a b` is a mistake, not two files.
    verb_->add_option(names, into, help)->required(required)->allow_extra_args(false)->type_name("FILE");
}

void Command::flag(const std::string& names, bool& into, const std::string& help) {
    verb_->add_flag(names, into, help);
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
}

}  // namespace left4me::ctl
