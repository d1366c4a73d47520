//! Languages and frameworks by the names that people type.

use crate::error::ValueError;

/// Defines an enum whose values have a slug, a title and other names that are accepted.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident, $what:literal: $($variant:ident = $slug:literal $title:literal [$($alias:literal),*] $(of $language:ident)?;)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $title] $variant,)*
        }

        crate::domain::schema::string_schema!($name);

        impl $name {
            /// All of them.
            pub const ALL: [Self; [$($slug),*].len()] = [$(Self::$variant),*];

            /// The name that people type.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $slug,)* }
            }

            /// The name that people read.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }

        impl std::str::FromStr for $name {
            type Err = ValueError;
            fn from_str(text: &str) -> Result<Self, ValueError> {
                match text.to_ascii_lowercase().as_str() {
                    $($slug $(| $alias)* => Ok(Self::$variant),)*
                    _ => Err(ValueError::new($what, text, "is not known", "`kiwi dockerfile --list` names those that are")),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

named!(
    /// What a project is written in.
    Language, "language":
    Node = "node" "Node.js" ["nodejs", "javascript", "typescript"];
    Bun = "bun" "Bun" [];
    Deno = "deno" "Deno" [];
    Python = "python" "Python" [];
    Java = "java" "Java" [];
    Kotlin = "kotlin" "Kotlin" [];
    Scala = "scala" "Scala" [];
    Clojure = "clojure" "Clojure" [];
    Go = "go" "Go" ["golang"];
    Rust = "rust" "Rust" [];
    Php = "php" "PHP" [];
    Ruby = "ruby" "Ruby" [];
    Dotnet = "dotnet" ".NET" [".net", "csharp", "fsharp"];
    Elixir = "elixir" "Elixir" [];
    Gleam = "gleam" "Gleam" [];
    Swift = "swift" "Swift" [];
    Dart = "dart" "Dart" [];
    Haskell = "haskell" "Haskell" [];
    Crystal = "crystal" "Crystal" [];
    Zig = "zig" "Zig" [];
    Cpp = "cpp" "C or C++" ["c", "c++"];
    Static = "static" "a static site" ["html"];
    Shell = "shell" "a shell script" ["sh", "bash"];
);

named!(
    /// What a project is built upon.
    Framework, "framework":
    Next = "next" "Next.js" ["nextjs", "next.js"];
    Nuxt = "nuxt" "Nuxt" ["nuxtjs"];
    Remix = "remix" "Remix" [];
    ReactRouter = "react-router" "React Router" [];
    SvelteKit = "sveltekit" "SvelteKit" ["svelte-kit"];
    Astro = "astro" "Astro" [];
    Vite = "vite" "Vite" [];
    Cra = "cra" "Create React App" ["create-react-app"];
    Angular = "angular" "Angular" [];
    TanstackStart = "tanstack-start" "TanStack Start" [];
    Expo = "expo" "Expo" [];
    NestJs = "nestjs" "NestJS" ["nest"];
    Express = "express" "Express" [];
    Fastify = "fastify" "Fastify" [];
    Hono = "hono" "Hono" [];
    Koa = "koa" "Koa" [];
    Fresh = "fresh" "Fresh" [];
    Django = "django" "Django" [];
    Flask = "flask" "Flask" [];
    FastApi = "fastapi" "FastAPI" [];
    FastHtml = "fasthtml" "FastHTML" [];
    Streamlit = "streamlit" "Streamlit" [];
    SpringBoot = "spring-boot" "Spring Boot" ["spring", "springboot"];
    Quarkus = "quarkus" "Quarkus" [];
    Micronaut = "micronaut" "Micronaut" [];
    Ktor = "ktor" "Ktor" [];
    Gin = "gin" "Gin" [];
    Echo = "echo" "Echo" [];
    Fiber = "fiber" "Fiber" [];
    Rails = "rails" "Ruby on Rails" [];
    Sinatra = "sinatra" "Sinatra" [];
    Laravel = "laravel" "Laravel" [];
    Symfony = "symfony" "Symfony" [];
    Phoenix = "phoenix" "Phoenix" [];
    AspNetCore = "aspnet-core" "ASP.NET Core" ["aspnet", "asp.net", "aspnetcore"];
    Axum = "axum" "Axum" [];
    Actix = "actix" "Actix Web" ["actix-web"];
    Rocket = "rocket" "Rocket" [];
    Vapor = "vapor" "Vapor" [];
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for language in Language::ALL {
            assert_eq!(language.as_str().parse(), Ok(language));
        }
        for framework in Framework::ALL {
            assert_eq!(framework.as_str().parse(), Ok(framework));
        }
        assert!("cobol".parse::<Language>().is_err());
    }
}
