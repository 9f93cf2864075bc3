//! What is read of a tenant before anything is collected: its name, its licences, and the application that asks.

use super::model::{
    AppRoleAssignment, Application, Organization, ServicePrincipal, SubscribedSku,
    UnifiedRoleAssignment,
};

/// What Graph answered, or why it did not: words that are safe to show.
pub type Answered<T> = Result<T, String>;

/// The answers, each by itself.
#[derive(Debug, Clone)]
pub struct Preview {
    /// The tenant; `None`: the list was empty.
    pub organization: Answered<Option<Organization>>,
    /// Its licences.
    pub subscribed_skus: Answered<Vec<SubscribedSku>>,
    /// The application that asks; `None` when the token does not say which it is.
    pub own: Option<Own>,
}

/// The application that asks.
#[derive(Debug, Clone)]
pub struct Own {
    /// Its registration; `None`: it is not registered in this tenant.
    pub application: Answered<Option<Application>>,
    /// Its service principal; `None`: there is none.
    pub service_principal: Answered<Option<ServicePrincipal>>,
    /// The application permissions that it was granted, on Graph and elsewhere.
    pub app_roles: Answered<Vec<AppRoleAssignment>>,
    /// The directory roles that it holds outright.
    pub directory_roles: Answered<Vec<UnifiedRoleAssignment>>,
}
