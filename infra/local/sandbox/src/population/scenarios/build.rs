//! The facts of each scenario, relative to the time at which the sandbox started.

use jiff::{SignedDuration, Timestamp};

use crate::population::{
    names::SeededRandom,
    organization::{Bank, Organization, Payments, Shape, User, Verification},
    scenarios::Scenario,
};

/// Where and when an organization lives.
pub(crate) struct Setting {
    pub(crate) draw: SeededRandom,
    pub(crate) start: Timestamp,
    pub(crate) created_at: Timestamp,
}

/// The organization of a scenario. It begins as a customer with people and a verified bank account
/// who never paid.
pub(crate) fn build(scenario: Scenario, setting: &Setting) -> Organization {
    let mut organization = Organization {
        id: scenario.has_id().then(|| setting.draw.id("008")),
        name: Some(setting.draw.company()),
        archived: false,
        created_at: setting.created_at,
        scenario: scenario.to_string(),
        users: setting.default_users(),
        banks: vec![Bank::new("VERIFIED", setting.days_ago(180))],
        payments: Vec::new(),
        verification: Some(Verification::new("APPROVE")),
        shape: Shape::Whole,
    };
    set_enrollment(scenario, setting, &mut organization);
    set_bank_accounts(scenario, setting, &mut organization);
    organization.payments = payments(scenario, setting);
    set_users(scenario, setting, &mut organization);
    if let Some(name) = unusual_name(scenario) {
        organization.users.truncate(1);
        organization
            .users
            .iter_mut()
            .for_each(|user| user.first_name = Some(name.clone()));
        organization.name = Some(name);
    }
    apply_contract_violations(scenario, setting, &mut organization);
    organization
}

fn set_enrollment(scenario: Scenario, setting: &Setting, organization: &mut Organization) {
    let decision = match scenario {
        Scenario::Archived => {
            organization.archived = true;
            return;
        }
        Scenario::Declined => Some("DECLINE"),
        Scenario::NoUsers | Scenario::VerificationNotStarted => None,
        Scenario::OnlyArchivedUsers | Scenario::VerificationInProgress => Some("IN_PROGRESS"),
        Scenario::VerificationPending => Some("PENDING"),
        Scenario::VerificationOnHold => Some("HOLD"),
        Scenario::NoBankAccountInReview => Some("REVIEW"),
        Scenario::NoBankAccount => Some("APPROVE"),
        _ => return,
    };
    organization.verification = decision.map(Verification::new);
    organization.banks.clear();
    match scenario {
        Scenario::NoUsers => organization.users.clear(),
        Scenario::OnlyArchivedUsers => {
            organization.users = vec![User {
                archived: true,
                ..setting.user("ADMINISTRATOR", 0)
            }];
        }
        _ => {}
    }
}

fn set_bank_accounts(scenario: Scenario, setting: &Setting, organization: &mut Organization) {
    let bank = |status: &str, days: i64| Bank::new(status, setting.days_ago(days));
    organization.banks = match scenario {
        Scenario::PaidByCardWithoutBank | Scenario::PaidOnceThenLostBank => Vec::new(),
        Scenario::OnlyArchivedVerifiedBank => vec![bank("VERIFIED", 10).archived()],
        Scenario::OldArchivedPendingBank => vec![bank("PENDING", 40).archived()],
        Scenario::FreshArchivedPendingBank => {
            vec![bank("PENDING", setting.between(1, 20)).archived()]
        }
        Scenario::FreshArchivedBankWithoutUpdatedTime => {
            vec![Bank {
                updated_at: None,
                ..bank("NOT_VERIFIED", 7).archived()
            }]
        }
        Scenario::PendingBank => vec![bank("PENDING", setting.between(1, 60))],
        Scenario::NotVerifiedBank => vec![bank("NOT_VERIFIED", setting.between(1, 60))],
        Scenario::RejectedBanks => vec![
            bank("BLOCKED", 90),
            bank("EXPIRED", 60),
            bank("INVALID", 30),
        ],
        Scenario::BlockedBesidePendingBank => vec![bank("BLOCKED", 90), bank("PENDING", 3)],
        Scenario::PaidOnceThenBankRejected => vec![bank("INVALID", 90)],
        Scenario::VerifiedBesideBlockedBank => vec![bank("BLOCKED", 90), bank("VERIFIED", 60)],
        _ => return,
    };
}

fn payments(scenario: Scenario, setting: &Setting) -> Vec<Payments> {
    let days_ago = |days: i64| setting.days_ago(days);
    let one_second_after = |days: i64| days_ago(days) + SignedDuration::from_secs(1);
    let history = |newest_at: Timestamp| {
        let count = usize::try_from(setting.between(1, 12)).unwrap_or(1);
        Payments {
            amount_cents: setting.between(1_000, 900_000),
            ..Payments::paid(newest_at).repeated(count, 7 * 86_400)
        }
    };
    match scenario {
        Scenario::Archived | Scenario::PaidRecently | Scenario::ScheduledPayment => {
            let newest_at = setting.seconds_ago(setting.between(600, 29 * 86_400));
            let status = if scenario == Scenario::ScheduledPayment {
                "SCHEDULED"
            } else {
                "PAID"
            };
            vec![Payments {
                status: Some(status.to_owned()),
                ..history(newest_at)
            }]
        }
        Scenario::Dormant30 => vec![history(
            setting.seconds_ago(setting.between(30 * 86_400, 60 * 86_400)),
        )],
        Scenario::Dormant60 => vec![history(
            setting.seconds_ago(setting.between(60 * 86_400, 90 * 86_400)),
        )],
        Scenario::Dormant90 => vec![history(
            setting.seconds_ago(setting.between(90 * 86_400, 170 * 86_400)),
        )],
        Scenario::PaidOnceThenLostBank => vec![Payments::paid(days_ago(45))],
        Scenario::PaidOnceThenBankRejected => vec![Payments::paid(days_ago(50))],
        Scenario::OnlyCancelledPayments => {
            vec![Payments::with_status("CANCELLED", days_ago(4)).repeated(3, 86_400)]
        }
        Scenario::OnlyVoidPayments => {
            vec![Payments::with_status("VOID", days_ago(4)).repeated(2, 86_400)]
        }
        Scenario::OnlyOfflinePayments => {
            vec![Payments {
                online: Some(false),
                ..Payments::paid(days_ago(4)).repeated(5, 86_400)
            }]
        }
        Scenario::CancelledBeyondTenPages => {
            vec![
                Payments::with_status("CANCELLED", days_ago(1)).repeated(1_150, 600),
                Payments::paid(days_ago(20)),
            ]
        }
        Scenario::FuturePayment => vec![Payments::with_status(
            "SCHEDULED",
            setting.start + SignedDuration::from_hours(48),
        )],
        Scenario::PaidByCardWithoutBank => vec![Payments {
            by_card: true,
            ..Payments::paid(days_ago(6))
        }],
        Scenario::CancelledNewestPaidBefore => {
            vec![
                Payments::with_status("CANCELLED", days_ago(1)),
                Payments::paid(days_ago(8)),
            ]
        }
        Scenario::CancelledNewestDormantBefore => {
            vec![
                Payments::with_status("VOID", days_ago(2)),
                Payments::paid(days_ago(40)),
            ]
        }
        Scenario::ManyPayments => vec![Payments::paid(days_ago(2)).repeated(260, 6 * 3_600)],
        Scenario::PaymentWithoutStatus => vec![Payments {
            status: None,
            online: None,
            ..Payments::paid(days_ago(5))
        }],
        Scenario::Exactly30Days => vec![Payments::paid(days_ago(30))],
        Scenario::Exactly60Days => vec![Payments::paid(days_ago(60))],
        Scenario::Exactly90Days => vec![Payments::paid(days_ago(90))],
        Scenario::SecondYoungerThan30Days => vec![Payments::paid(one_second_after(30))],
        Scenario::SecondYoungerThan60Days => vec![Payments::paid(one_second_after(60))],
        Scenario::SecondYoungerThan90Days => vec![Payments::paid(one_second_after(90))],
        _ => Vec::new(),
    }
}

fn set_users(scenario: Scenario, setting: &Setting, organization: &mut Organization) {
    let without_address = |user: User| User {
        email: None,
        ..user
    };
    organization.users = match scenario {
        Scenario::UserWithoutAddress => vec![without_address(setting.user("ADMINISTRATOR", 0))],
        Scenario::AdministratorWithoutAddress => {
            vec![
                without_address(setting.user("ADMINISTRATOR", 0)),
                setting.user("PAYER", 1),
            ]
        }
        Scenario::NoAdministrator => vec![setting.user("APPROVER", 0), setting.user("CLERK", 1)],
        Scenario::ArchivedAdministrator => vec![
            User {
                archived: true,
                ..setting.user("ADMINISTRATOR", 0)
            },
            setting.user("ACCOUNTANT", 1),
        ],
        Scenario::SameAddressTwice => {
            let first = setting.user("ADMINISTRATOR", 0);
            let email = first.email.as_deref().map(str::to_uppercase);
            vec![
                first,
                User {
                    email,
                    ..setting.user("ADMINISTRATOR", 1)
                },
                setting.user("ADMINISTRATOR", 2),
            ]
        }
        // The newest comes first here, so that the order of the list is not the order of age.
        Scenario::FiveAdministrators => (0..5)
            .rev()
            .map(|person| setting.user("ADMINISTRATOR", person))
            .collect(),
        Scenario::SharedAddressOne | Scenario::SharedAddressTwo => {
            let email = Some("bookkeeper@shared-ledger.example".to_owned());
            vec![User {
                email,
                ..setting.user("ADMINISTRATOR", 0)
            }]
        }
        _ => return,
    };
}

fn unusual_name(scenario: Scenario) -> Option<String> {
    match scenario {
        Scenario::QuotesInName => Some("The \"Copper\" Kettle & O'Brien's <Tea> Room".to_owned()),
        Scenario::EmojiInName => Some("Bäckerei Sonnenschein 🥐🚀 製パン所".to_owned()),
        Scenario::ScriptInName => Some("<script>alert('pay')</script>{{ 7 * 7 }} Ltd".to_owned()),
        Scenario::LongName => Some("Longfellow ".repeat(50).chars().take(500).collect()),
        Scenario::LineBreakInName => {
            Some("Harbor Lights\r\nBcc: everyone@harbor-lights.example".to_owned())
        }
        _ => None,
    }
}

fn apply_contract_violations(
    scenario: Scenario,
    setting: &Setting,
    organization: &mut Organization,
) {
    let paid = |days: i64| Payments::paid(setting.days_ago(days));
    match scenario {
        Scenario::OrganizationWithoutId => organization.shape = Shape::WithoutId,
        Scenario::OrganizationNotAnObject => organization.shape = Shape::NotAnObject,
        Scenario::OrganizationWithoutName => organization.name = None,
        Scenario::UserNotAnObject => {
            organization.users.push(User {
                shape: Shape::NotAnObject,
                ..setting.user("ADMINISTRATOR", 8)
            });
        }
        Scenario::UserWithoutId => {
            organization.users.push(User {
                shape: Shape::WithoutId,
                email: None,
                ..setting.user("CLERK", 8)
            });
        }
        Scenario::UnknownRole => organization.users = vec![setting.user("SUPREME_TREASURER", 0)],
        Scenario::BrokenAddress => {
            let email = Some("owner@harbor.example\r\nBcc: everyone@harbor.example".to_owned());
            organization.users.push(User {
                email,
                ..setting.user("ADMINISTRATOR", 8)
            });
        }
        Scenario::BankNotAnObject => {
            organization.banks.push(Bank {
                shape: Shape::NotAnObject,
                ..Bank::new("VERIFIED", setting.days_ago(9))
            });
        }
        Scenario::UnknownBankStatus => {
            organization.banks = vec![Bank::new("UNDER_THE_MATTRESS", setting.days_ago(9))];
        }
        Scenario::UnknownDecision => {
            organization.banks.clear();
            organization.verification = Some(Verification::new("ASK_AGAIN_LATER"));
        }
        Scenario::PaymentNotAnObject => {
            organization.payments = vec![
                Payments {
                    shape: Shape::NotAnObject,
                    ..paid(1)
                },
                paid(35),
            ];
        }
        Scenario::PaymentWithoutCreatedTime => {
            organization.payments = vec![
                Payments {
                    shape: Shape::WithoutCreatedTime,
                    ..paid(1)
                },
                paid(65),
            ];
        }
        Scenario::PaymentAmountAsText => {
            organization.payments = vec![
                Payments {
                    shape: Shape::AmountAsText,
                    ..paid(3)
                },
                paid(5),
            ];
        }
        Scenario::UnknownPaymentStatus => {
            organization.payments = vec![Payments::with_status("TELEPORTED", setting.days_ago(3))];
        }
        _ => {}
    }
}

impl Setting {
    fn seconds_ago(&self, seconds: i64) -> Timestamp {
        self.start - SignedDuration::from_secs(seconds)
    }

    fn days_ago(&self, days: i64) -> Timestamp {
        self.seconds_ago(days * 86_400)
    }

    /// A number from `first` to below `end` that differs between organizations.
    fn between(&self, first: i64, end: i64) -> i64 {
        let span = u64::try_from(end - first).unwrap_or(1).max(1);
        first
            + i64::try_from(self.draw.below(&format!("{first} to {end}"), span)).unwrap_or_default()
    }

    /// An administrator and up to three colleagues.
    fn default_users(&self) -> Vec<User> {
        let colleagues = usize::try_from(self.draw.below("colleagues", 4)).unwrap_or_default();
        let roles = ["ADMINISTRATOR", "APPROVER", "ADMINISTRATOR", "CLERK"];
        roles
            .into_iter()
            .enumerate()
            .take(1 + colleagues)
            .map(|(person, role)| self.user(role, person))
            .collect()
    }

    /// A user who joined that many hours after the organization was created.
    fn user(&self, role: &str, person: usize) -> User {
        let (first, last) = (self.draw.first_name(person), self.draw.last_name(person));
        let mailbox: String = format!("{first}.{last}")
            .to_lowercase()
            .chars()
            .filter(|character| matches!(character, 'a'..='z' | '.'))
            .collect();
        let hours = i64::try_from(person).unwrap_or_default();
        User {
            first_name: Some(first.to_owned()),
            last_name: Some(last.to_owned()),
            ..User::new(
                role,
                &format!("{mailbox}{person}@{}", self.draw.domain()),
                self.created_at + SignedDuration::from_hours(1 + hours),
            )
        }
    }
}
