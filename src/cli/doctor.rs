//! `doctor`: signs in, looks, collects nothing.

use std::io::Write as _;
use std::sync::Arc;

use jiff::Unit;

use super::args::{DoctorArgs, Format};
use super::failure::Failure;
use super::scan::ended;
use super::source::{self, Target};
use super::{Ended, World, proxy, select};
use crate::ExitStatus;
use crate::auth::{AuthKind, Claims, Metadata, Renewal, TokenSource as _};
use crate::collect;
use crate::graph::{GraphClient, http};
use crate::report::TenantName;
use crate::report::doctor::{self as page, Examination, GrantSource, Network, SignIn};
use crate::report::table::Style;
use crate::rules::preflight::{self, Level, Outlook, own};
use crate::snapshot::preview::Preview;
use crate::snapshot::tenant::Licences;
use crate::snapshot::{Granted, Guid};

pub(super) fn run(args: &DoctorArgs, world: &World) -> Ended {
    let rules = select::rules_shown(&args.select)?;
    let resources = select::resources(&rules, &args.read);
    let config = source::config(&args.config, args.demo)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let seen = runtime.block_on(async {
        let target = source::target(&args.sign_in, args.demo, &config, world).await?;
        look(target, world).await
    })?;
    let mut prospects = preflight::prospects(
        &rules,
        &resources,
        collect::with_needs,
        &seen.granted,
        seen.licences.as_ref().ok(),
    );
    if seen.source == GrantSource::Unknown {
        // What is not known may be there.
        for (_, outlook) in &mut prospects {
            if let Outlook::Unread { missing, besides } = outlook {
                missing.append(besides);
                *outlook = Outlook::Doubtful(std::mem::take(missing));
            }
        }
    }
    let examination = Examination {
        tenant: seen.tenant,
        sign_in: seen.sign_in,
        ahead: seen.ahead,
        network: seen.network,
        granted: seen.granted,
        source: seen.source,
        pending: seen.pending,
        resources,
        prospects,
        licences: seen.licences,
        application: seen.application,
    };
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let style = Style {
        width: world.width,
        colour: world.colour,
    };
    let written = match args.format {
        Format::Table => page::table(&examination, style, &mut out),
        Format::Json => page::json(&examination, &mut out),
    };
    ended(written.and_then(|()| out.flush()))?;
    Ok(if examination.is_complete() {
        ExitStatus::Done
    } else {
        ExitStatus::Incomplete
    })
}

/// What was seen of the tenant.
struct Seen {
    tenant: TenantName,
    sign_in: SignIn,
    ahead: Option<i64>,
    network: Network,
    granted: Granted,
    source: GrantSource,
    pending: Vec<String>,
    licences: Result<Licences, String>,
    application: Vec<own::Check>,
}

async fn look(target: Target, world: &World) -> Result<Seen, Failure> {
    let Target {
        tokens,
        http,
        cloud,
        endpoints,
        pace,
        clock,
        _emulator,
        ..
    } = target;
    // Whoever signs in without naming a tenant asks for what is the same in all of them.
    let asked = tokens
        .sign_in()
        .tenant()
        .unwrap_or("organizations")
        .to_owned();
    // What cannot be had here is said by the sign-in, which asks the same host.
    let metadata = Metadata::read(&http, &endpoints, &asked, clock.as_ref())
        .await
        .unwrap_or_default();
    let ahead = metadata.ahead.map(|ahead| ahead.as_secs());
    let kind = tokens.sign_in().kind();
    let token = match tokens.token(Renewal::IfNeeded).await {
        Ok(token) => token,
        Err(error) => {
            if let Some(ahead) = ahead.filter(|&ahead| preflight::clock(ahead) != Level::Ok) {
                let off = format!("note: this machine's clock is {ahead} s ahead of Entra's");
                let _ = writeln!(anstream::stderr(), "{off}");
            }
            return Err(error.into());
        }
    };
    let claims = token.claims().cloned();
    let app_id = claims.as_ref().and_then(|claims| claims.app_id.clone());
    let app_id = app_id.or_else(|| tokens.sign_in().client_id().map(str::to_owned));
    let is_person = claims.as_ref().is_some_and(|claims| claims.is_delegated);
    let (graph, tokens) = (endpoints.graph.clone(), Arc::new(tokens));
    let client = GraphClient::new(http, graph, tokens, clock.clone(), pace)?;
    // An application that a person signs in with is not theirs to keep; the Azure CLI is Microsoft's.
    let own_id = app_id.as_ref().and_then(|id| id.parse::<Guid>().ok());
    let own_id = own_id.filter(|_| !is_person);
    let preview = collect::preview(&client, own_id).await?;

    let now = clock.now();
    let left = token.expires_at().duration_since(now);
    let expires = token.expires_at();
    let network = Network {
        login: host(&endpoints.login),
        graph: host(&endpoints.graph),
        proxy: proxy::of(&world.environment, &endpoints.graph),
        tenant_graph: metadata
            .graph_host
            .clone()
            .filter(|_| metadata.is_elsewhere(&endpoints))
            .map(Into::into),
    };
    let (granted, source, pending) = grants(claims.as_ref(), &preview);
    let signs_by_secret = kind == AuthKind::Secret;
    let application = preview.own.as_ref().map_or_else(Vec::new, |own| {
        own::judge(own, &granted, now, signs_by_secret)
    });
    let organization = preview.organization.ok().flatten();
    Ok(Seen {
        tenant: TenantName::from_organization(asked.into(), organization.as_ref()),
        sign_in: SignIn {
            credential: kind.name(),
            cloud: cloud.name(),
            tenant: claims.as_ref().and_then(|claims| claims.tenant.clone()),
            application_id: app_id,
            delegated: claims.as_ref().map(|claims| claims.is_delegated),
            token_expires_at: expires.round(Unit::Second).unwrap_or(expires),
            token_minutes_left: left.as_mins(),
        },
        ahead,
        network,
        granted,
        source,
        pending,
        licences: preview
            .subscribed_skus
            .map(|skus| Licences::from_skus(&skus)),
        application,
    })
}

/// Host and port; an emulator's port is another one each time, and says nothing.
fn host(url: &http::Url) -> String {
    let bare = url.host_str().filter(|_| http::is_loopback(url));
    bare.map_or_else(|| http::host(url), str::to_owned)
}

/// What can be used, where that is known from, and what only the next token will have.
fn grants(claims: Option<&Claims>, preview: &Preview) -> (Granted, GrantSource, Vec<String>) {
    let directory = preview.own.as_ref().and_then(own::granted_in_directory);
    let Some(claims) = claims else {
        return match directory {
            Some(granted) => (granted, GrantSource::Directory, Vec::new()),
            None => (Granted::default(), GrantSource::Unknown, Vec::new()),
        };
    };
    let granted: Granted = claims.permissions().collect();
    if claims.is_delegated {
        return (granted, GrantSource::Person, Vec::new());
    }
    let directory = directory.unwrap_or_default();
    let pending = directory
        .names()
        .filter(|name| !claims.roles.iter().any(|role| role == name));
    let pending = pending.map(str::to_owned).collect();
    (granted, GrantSource::Application, pending)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::model::AppRoleAssignment;
    use crate::snapshot::preview::Own;
    use crate::snapshot::reference;

    fn preview(app_roles: Result<&[&str], &str>) -> Preview {
        let assignment = |name: &&str| AppRoleAssignment {
            app_role_id: reference::permission_named(name).map(|(id, _)| id),
            ..AppRoleAssignment::default()
        };
        Preview {
            organization: Ok(None),
            subscribed_skus: Ok(Vec::new()),
            own: Some(Own {
                application: Ok(None),
                service_principal: Ok(None),
                app_roles: app_roles
                    .map(|names| names.iter().map(assignment).collect())
                    .map_err(str::to_owned),
                directory_roles: Ok(Vec::new()),
            }),
        }
    }

    fn claims(roles: &[&str], scopes: &[&str]) -> Claims {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Claims {
            tenant: None,
            app_id: None,
            roles: names(roles),
            scopes: names(scopes),
            expires: None,
            is_delegated: !scopes.is_empty(),
        }
    }

    #[test]
    fn a_token_that_cannot_be_read_leaves_the_directory() {
        let both = ["Domain.Read.All", "User.Read.All"];
        let (granted, source, pending) = grants(None, &preview(Ok(&both)));
        assert_eq!(granted.names().collect::<Vec<_>>(), both);
        assert_eq!((source, pending.len()), (GrantSource::Directory, 0));
        let (granted, source, _) = grants(None, &preview(Err("refused")));
        assert!(granted.is_empty());
        assert_eq!(source, GrantSource::Unknown);
    }

    #[test]
    fn what_the_directory_has_and_the_token_not_yet_is_pending() {
        let own = claims(&["User.Read.All"], &[]);
        let both = ["Domain.Read.All", "User.Read.All"];
        let (granted, source, pending) = grants(Some(&own), &preview(Ok(&both)));
        assert_eq!(granted.names().collect::<Vec<_>>(), ["User.Read.All"]);
        assert_eq!(source, GrantSource::Application);
        assert_eq!(pending, ["Domain.Read.All"]);
        let person = claims(&[], &["User.Read.All"]);
        let (granted, source, pending) = grants(Some(&person), &preview(Ok(&both)));
        assert_eq!(granted.len(), 1);
        assert_eq!((source, pending.len()), (GrantSource::Person, 0));
    }
}
