//! Looks through Rust source: the paths it names, its string literals, what its public items mention. Code that is
//! only compiled for tests, attributes and comments do not count.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemUse, LitStr, Macro, UseTree, Visibility};

/// Every path `file` names, with `::` between its parts: those of `use` items, flattened, and those in code, also
/// within macros.
pub(super) fn paths(file: &syn::File) -> Vec<String> {
    let mut finder = Finder::default();
    finder.visit_file(file);
    finder.paths
}

/// Every string literal of `file`, also within macros.
pub(super) fn strings(file: &syn::File) -> Vec<String> {
    let mut finder = Finder::default();
    finder.visit_file(file);
    finder.strings
}

/// The local name and the full path of everything that `file` imports: `(Handle, rusqlite::Connection)`.
pub(super) fn imports(file: &syn::File) -> Vec<(String, String)> {
    let mut finder = Finder::default();
    finder.visit_file(file);
    finder.imports
}

/// Every path that the public signatures of `file` name: of functions, fields, variants, traits, aliases, re-exports
/// and of implementations, unless the trait or the type is private to the crate.
pub(super) fn public_paths(file: &syn::File) -> Vec<String> {
    let mut public = Public {
        finder: Finder::default(),
        private: file.items.iter().filter_map(private_name).collect(),
    };
    file.items.iter().for_each(|item| public.visit(item));
    public.finder.paths
}

#[derive(Default)]
struct Finder {
    paths: Vec<String>,
    strings: Vec<String>,
    imports: Vec<(String, String)>,
}

impl Finder {
    fn visit_tree(&mut self, prefix: &str, tree: &UseTree) {
        let join = |name: &dyn ToString| match prefix {
            "" => name.to_string(),
            prefix => format!("{prefix}::{}", name.to_string()),
        };
        match tree {
            UseTree::Path(path) => self.visit_tree(&join(&path.ident), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.visit_tree(prefix, tree)),
            UseTree::Glob(_) => self.paths.push(join(&"*")),
            UseTree::Name(name) => self.add_import(name.ident.to_string(), join(&name.ident)),
            UseTree::Rename(rename) => self.add_import(rename.rename.to_string(), join(&rename.ident)),
        }
    }

    fn add_import(&mut self, local: String, path: String) {
        let path = path.trim_end_matches("::self").to_owned();
        self.paths.push(path.clone());
        self.imports.push((local, path));
    }

    /// Finds paths and strings in what a macro is given.
    fn visit_tokens(&mut self, tokens: TokenStream) {
        let mut path = String::new();
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if path.is_empty() || path.ends_with("::") => path += &ident.to_string(),
                TokenTree::Punct(punct) if punct.as_char() == ':' && !path.is_empty() => path.push(':'),
                other => {
                    self.end_path(&mut path);
                    match other {
                        TokenTree::Ident(ident) => path = ident.to_string(),
                        TokenTree::Group(group) => self.visit_tokens(group.stream()),
                        TokenTree::Literal(literal) => {
                            self.strings
                                .extend(syn::parse_str::<LitStr>(&literal.to_string()).map(|text| text.value()));
                        }
                        TokenTree::Punct(_) => {}
                    }
                }
            }
        }
        self.end_path(&mut path);
    }

    fn end_path(&mut self, path: &mut String) {
        let whole = std::mem::take(path);
        if whole.contains("::") {
            self.paths.push(whole.trim_end_matches(':').to_owned());
        }
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.visit_tree("", &item.tree);
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.paths.push(parts.join("::"));
        visit::visit_path(self, path);
    }

    fn visit_lit_str(&mut self, literal: &'ast LitStr) {
        self.strings.push(literal.value());
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_tokens(call.tokens.clone());
    }
}

/// Finds what the public items of a file mention.
struct Public {
    finder: Finder,
    /// Traits and types of the file that nobody outside the crate can name.
    private: Vec<String>,
}

impl Public {
    fn visit(&mut self, item: &Item) {
        if is_for_tests(attributes(item)) {
            return;
        }
        let finder = &mut self.finder;
        match item {
            Item::Fn(item) if is_public(&item.vis) => finder.visit_signature(&item.sig),
            Item::Struct(item) if is_public(&item.vis) => {
                finder.visit_generics(&item.generics);
                let public = item.fields.iter().filter(|field| is_public(&field.vis));
                public.for_each(|field| finder.visit_type(&field.ty));
            }
            Item::Enum(item) if is_public(&item.vis) => finder.visit_item_enum(item),
            Item::Trait(item) if is_public(&item.vis) => finder.visit_item_trait(item),
            Item::Type(item) if is_public(&item.vis) => finder.visit_item_type(item),
            Item::Const(item) if is_public(&item.vis) => finder.visit_type(&item.ty),
            Item::Static(item) if is_public(&item.vis) => finder.visit_type(&item.ty),
            Item::Use(item) if is_public(&item.vis) => finder.visit_item_use(item),
            Item::Mod(item) => {
                let items = item.content.iter().flat_map(|(_, items)| items);
                items.for_each(|item| self.visit(item));
            }
            Item::Impl(item) => self.visit_implementation(item),
            _ => {}
        }
    }

    fn visit_implementation(&mut self, item: &syn::ItemImpl) {
        let is_of_trait = item.trait_.is_some();
        let implemented = item.trait_.as_ref().map(|(path, _)| path);
        let of_type = match &*item.self_ty {
            syn::Type::Path(path) => Some(&path.path),
            _ => None,
        };
        let names = implemented.into_iter().chain(of_type);
        let mut last = names.filter_map(|path| path.segments.last());
        if last.any(|name| self.private.iter().any(|private| name.ident == private)) {
            return;
        }
        implemented.into_iter().for_each(|path| self.finder.visit_path(path));
        for item in &item.items {
            match item {
                syn::ImplItem::Fn(function) if is_of_trait || is_public(&function.vis) => {
                    self.finder.visit_signature(&function.sig);
                }
                syn::ImplItem::Type(alias) if is_of_trait => self.finder.visit_type(&alias.ty),
                _ => {}
            }
        }
    }
}

fn private_name(item: &Item) -> Option<String> {
    let (visibility, name) = match item {
        Item::Enum(item) => (&item.vis, &item.ident),
        Item::Struct(item) => (&item.vis, &item.ident),
        Item::Trait(item) => (&item.vis, &item.ident),
        _ => return None,
    };
    (!is_public(visibility)).then(|| name.to_string())
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let is_test = |meta: &syn::MetaList| {
            meta.tokens
                .to_string()
                .split(|c: char| !c.is_alphanumeric())
                .any(|word| word == "test")
        };
        match &attribute.meta {
            syn::Meta::List(meta) => attribute.path().is_ident("cfg") && is_test(meta),
            syn::Meta::Path(path) => path.is_ident("test"),
            syn::Meta::NameValue(_) => false,
        }
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
